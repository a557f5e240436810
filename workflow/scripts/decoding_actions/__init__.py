"""Decoding actions: what do forbidding backtrack words and forcing a turn change?"""
