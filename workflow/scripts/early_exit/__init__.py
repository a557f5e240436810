"""Early exit: what would the model answer at each place where it holds an answer?"""
