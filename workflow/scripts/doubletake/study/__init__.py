"""A study: its config, the declarations of its stages, the files of its results."""
