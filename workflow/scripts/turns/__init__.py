"""Turns: the positions at which the model turns back, wraps up or goes on."""
