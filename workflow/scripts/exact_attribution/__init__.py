"""Exact attribution: what does exact patching say of words that the estimate ranks?"""
