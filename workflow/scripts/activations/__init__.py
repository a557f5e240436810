"""Activations: what the model holds at every event, from one forward pass."""
