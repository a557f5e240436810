"""Logit lens: which words the residual stream and its parts favour at the turns."""
