"""For the report: the four questions, and which experiment answers each of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question with one figure."""

    name: str
    """Of the figure's file."""
    text: str
    experiment: str
    """The experiment whose first sentence answers it, study by study."""
    caption: str
    table: str
    """The table with the numbers of the figure, or with finer ones."""
    answer: str = "answer"
    """The function of the experiment's `page.py` that answers it in one sentence."""


QUESTIONS = (
    Question(
        "holds",
        "When does it hold its answer?",
        "early_exit",
        "Thoughts are cut after arrival k, and the model must answer. Exit 0 is before "
        "any thought. Line: right answers. Dashes: mean probability of the answer.",
        "early_exit/summary",
    ),
    Question(
        "stops",
        "Could it have stopped?",
        "exit_policies",
        "Every mark is an exit rule. Across: the tokens that it spends, trials "
        "included, as a share of the whole thoughts’ tokens. Up: the change of "
        "accuracy. A rule on the line loses nothing.",
        "exit_policies/policies",
    ),
    Question(
        "turns",
        "What makes it turn back?",
        "probing",
        "How well a linear probe of the residual stream tells backtracks from matched "
        "controls, by depth. Dashes: the best of three controls (shuffled labels, the "
        "token alone, the place alone). Dots: chance.",
        "probing",
        "turning",
    ),
    Question(
        "helps",
        "Does thinking on help?",
        "repair",
        "Accuracy of the thought’s own answer minus that of the answer held at arrival "
        "k, on the same thoughts.",
        "repair/gains",
        "headline",
    ),
)
