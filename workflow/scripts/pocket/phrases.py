"""Phrases with which a pocket thought turns back or wraps up.

Each entry is a sentence, where `{}` stands for a number or an equation, and its cue.
"""

NOTICED = (("Wait, {} is not right.", "Wait"), ("Hmm, {} is wrong.", "Hmm"))
DOUBTS = (
    ("Wait, did I get {} right?", "Wait"),
    ("Hold on, what was {} again?", "Hold on"),
    ("But is {} done right?", "But"),
)
CHECKS = (
    ("Wait, let me check again.", "Wait"),
    ("Let me double-check.", "Let me double-check"),
    ("Let me check this again.", "Let me check"),
)
INVERSES = (
    ("Let me verify this.", "Let me verify"),
    ("Wait, let me work backwards.", "Wait"),
)
ALTERNATIVES = (
    ("Alternatively, I can take another order.", "Alternatively"),
    ("Another way is to change the order.", "Another way"),
)
REREADS = (
    ("Hmm, let me read the problem again.", "Hmm"),
    ("Wait, let me reread the question.", "Wait"),
)
WRAP_UPS = (
    ("So the final answer is {}.", "So"),
    ("Therefore, the answer is {}.", "Therefore"),
)
