"""Manifest: what a study was made of, with what, and what it left."""
