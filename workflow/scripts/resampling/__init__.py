"""Resampling: would the thought turn back again if it were written again from there?"""
