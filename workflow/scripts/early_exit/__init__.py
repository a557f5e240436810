"""Early exit: what would the model answer if it stopped after each arrival?"""
