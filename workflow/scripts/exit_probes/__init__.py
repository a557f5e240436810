"""Exit probes: does the state at a trial point tell that the trial answer is right?"""
