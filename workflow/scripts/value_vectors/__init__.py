"""Value vectors: MLP units that write along a probe's direction, and their effect."""
