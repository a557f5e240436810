"""Length: are long thoughts right?"""
