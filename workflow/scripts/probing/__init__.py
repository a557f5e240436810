"""Probing: what the residual stream tells, layer by layer, at turns and arrivals."""
