"""A study: what its config means, which files it leaves."""
