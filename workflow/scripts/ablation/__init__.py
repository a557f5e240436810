"""Ablation: what does the model need in order to turn back?"""
