"""Twins: does the model turn back because of the planted cause?"""
