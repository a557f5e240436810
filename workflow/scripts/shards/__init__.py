"""Shards: the parts of one table, joined."""
