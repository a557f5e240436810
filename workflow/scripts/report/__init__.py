"""Report: one HTML page on all studies of the config."""
