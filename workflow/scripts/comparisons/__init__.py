"""Comparisons: one figure of all studies for each experiment."""
