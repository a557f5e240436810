"""Sentences of a pocket thought, as templates.

`{}` stands for an equation, a number or words of the story. A sentence that turns back
begins with its cue.
"""

STEP_BY_STEP = "Let me solve this step by step."
NEUTRAL_REMARK = "The steps are not hard to do."
"""As many tokens as `Distractor.dismissal`, which can stand in its place."""
CONCLUSION = "So the answer is {}."

DENIALS = {
    "Wait": "Wait, {} is not right.",
    "Hmm": "Hmm, {} is not right.",
    "But": "But {} is not right.",
}
"""By cue: the sentence that names a false equation."""
MISSED_CHECKS = {
    "Wait": "Wait, let me check again.",
    "Hmm": "Hmm, let me check again.",
    "But": "But let me check again.",
}
"""By cue: the sentence before a check that repeats a false equation."""
WHAT_ABOUT = {
    "Hmm": "Hmm, what about the {} {}?",
    "But": "But what about the {} {}?",
    "Wait": "Wait, what about the {} {}?",
}
"""By cue: the sentence that asks about an unused number; number and noun."""
NOT_COUNTED = "They do not count."
COULD_MEAN = {
    "But": "But could {} mean {}?",
    "Alternatively": "Alternatively, maybe {} means {}.",
    "Hmm": "Hmm, could {} mean {}?",
}
"""By cue: the sentence that weighs the other reading; open word and reading."""
ASKED = "No, the question asks {}."

CHECKS = {"Let": "Let me check again.", "Wait": MISSED_CHECKS["Wait"]}
INVERSES = {"Let": "Let me work backwards.", "Wait": "Wait, let me work backwards."}
REORDERS = {"Let": "Let me use another order."}
REREADS = {
    "Let": "Let me read the question again.",
    "Wait": "Wait, let me read the question again.",
}
DOUBTS = {"Wait": "Wait, did I get {} right?"}
"""By cue: the sentence that doubts one step."""
FITS = "{}, which fits."
CONFIRMED = "{}, yes."
REREAD = "It asks {}."

GO_ON = {
    "That": (
        "That makes {value} {unit}.",
        "That was not hard.",
        "That follows from the steps.",
    ),
    "This": (
        "This counts {unit}.",
        "This was quick to find.",
        "This comes from the story.",
    ),
}
"""By first word: sentences that do not turn; they restate, explain a unit, remark."""
WRAP_UPS = {
    "So": "So the final answer is {}.",
    "Therefore": "Therefore, the answer is {}.",
}
"""By first word: the sentence that ends a thought."""
