"""Unmatched probes: how well would probes tell turns from wrap-ups without matching?"""
