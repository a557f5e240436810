"""The pocket language and what trains a model that speaks it."""
