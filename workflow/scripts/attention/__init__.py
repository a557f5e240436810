"""Attention: where heads look before a turn, and what they write."""
