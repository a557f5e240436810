"""Truth: where a thought of a planted language may turn back, and its planted cause."""
