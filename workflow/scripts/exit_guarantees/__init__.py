"""Exit guarantees: which threshold keeps the loss below a stated risk?"""
