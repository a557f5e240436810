"""Exit policies: which rules stop a thought early, at which cost and risk?"""
