"""Injection: does a vector that is added once fade because it gets no attention?"""
