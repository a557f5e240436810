"""Directions: which vectors of the residual stream point toward turning back?"""
