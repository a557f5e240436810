"""Logit lens: what the residual stream and its parts say at the turns."""
