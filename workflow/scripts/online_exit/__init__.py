"""Online exit: do the rules stop a running thought where the replay says, and how fast?"""
