"""Shards: joins the parts of a table that the shards of a stage wrote."""
