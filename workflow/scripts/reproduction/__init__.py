"""Reproduction: do published numbers hold in this study, by the published recipe and by ours?"""
