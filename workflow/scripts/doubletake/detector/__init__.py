"""Finds arrivals, backtracks and wrap-ups in a thought, from its text alone."""
