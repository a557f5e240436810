"""Loop: do the methods agree on the same events?"""
