"""Wrong samples: can thoughts that end wrong be pushed to be right?"""
