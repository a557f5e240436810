"""Repetition: is the confidence at an exit more than copying?"""
