"""Mistakes: are inserted mistakes noticed and mended?"""
