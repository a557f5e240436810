"""Trial points: what would the model answer at each place where a rule may stop it?"""
