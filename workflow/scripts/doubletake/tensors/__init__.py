"""Tensors in files: written row by row or whole, with digests, checked when read."""
