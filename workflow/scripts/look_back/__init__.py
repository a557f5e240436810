"""Look back: does the text after a turn look back at the words that caused it?"""
