"""Overview: four questions in one figure each, all studies side by side."""
