"""Report: one page on all studies of the config."""
