"""Explorer: every thought of all studies, to look at in a browser."""
