"""Exit rules: when a thought could stop, at which cost, with which guarantee."""
