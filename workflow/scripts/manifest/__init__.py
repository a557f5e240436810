"""Manifest: digests of a study's inputs and results, with versions and settings."""
