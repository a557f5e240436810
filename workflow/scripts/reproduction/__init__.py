"""Reproduction: do published numbers hold here, by their own recipe and by ours?"""
