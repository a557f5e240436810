"""Steering: does a vector added to the residual stream make the model turn back?"""
