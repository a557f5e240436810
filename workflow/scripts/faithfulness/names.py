"""Names of contexts, parts of a thought and groups, as the tables hold them."""

NONE = "none"
BEFORE = "before"
ARRIVED = "arrived"
FILLER = "filler"
SHUFFLED = "shuffled"
FOREIGN = "foreign"
LAST = "last"
WHOLE = "whole"
CONTEXTS = (NONE, FILLER, FOREIGN, BEFORE, SHUFFLED, ARRIVED, LAST, WHOLE)
"""What stands in place of the thought when the answer is forced."""
MADE = (FILLER, SHUFFLED, FOREIGN)
"""Contexts that this stage makes; the others are cuts of the thought."""

SENTENCE, ARRIVAL = "sentence", "arrival"
SOURCES = (SENTENCE, ARRIVAL)
"""Kinds of cuts."""

THOUGHT, AHEAD, BEHIND, ARRIVALS = "thought", "ahead", "behind", "arrivals"
PARTS = (THOUGHT, AHEAD, BEHIND, ARRIVALS)
"""Along what a curve runs: the thought, the text before its first arrival, the text
after it, the arrivals one by one."""

ALL, TURNS, STRAIGHT = "all", "turns back", "never turns back"
FIRST_RIGHT, FIRST_WRONG = "first arrival right", "first arrival wrong"
KINDS = (ALL, TURNS, STRAIGHT, FIRST_RIGHT, FIRST_WRONG)
"""Groups of thoughts by what happens in them."""
SHORT, MIDDLE, LONG = "short", "middle", "long"
LENGTHS = (SHORT, MIDDLE, LONG)
"""Groups of thoughts by their number of sentences, a third of the thoughts each."""

SAME, CORRECT = "same", "correct"
MEASURES = (SAME, CORRECT)
COMPARISONS = (
    (WHOLE, FILLER),
    (WHOLE, NONE),
    (FILLER, NONE),
    (LAST, SHUFFLED),
    (SHUFFLED, FILLER),
    (FOREIGN, NONE),
    (BEFORE, NONE),
    (ARRIVED, BEFORE),
    (WHOLE, ARRIVED),
)
"""Pairs of contexts that are tested; filler of the largest share."""
