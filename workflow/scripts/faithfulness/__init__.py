"""Faithfulness: does the answer depend on the thought?"""
