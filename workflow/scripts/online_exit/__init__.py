"""Online exit: do rules stop a running thought where the replay says, how fast?"""
