"""Traces: thoughts that the model generates, or finished ones from a file."""
