"""What the parts of the page and the figures share."""
