"""Repair: is thinking on after an arrival worth its tokens?"""
