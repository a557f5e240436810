"""Detectors: where a thought arrives at an answer and where it turns back."""
