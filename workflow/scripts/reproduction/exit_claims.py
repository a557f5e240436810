"""Published claims on early exits."""

from functools import partial

from reproduction import exits
from reproduction.claim import CONTAINED, Claim
from reproduction.published import References
from reproduction.tables import DIFFERENCE, LEVEL

PART = "Early exit"


def exit_statements() -> list[Claim]:
    """How the logit moves from exit to exit."""
    return [
        Claim(
            "exit_jump",
            PART,
            "Logit of the answer at the first arrival, minus without thought",
            "logit",
            exits.logit_jump,
            rule="the interval of the difference within thoughts lies above 0",
        ),
        Claim(
            "exit_rise_second",
            PART,
            "Step of the logit from the first arrival to the second",
            "logit",
            exits.rise_to_second,
            rule="the interval of the step lies above 0; by our recipe also that of "
            "the steps after which the thought went on",
        ),
        Claim(
            "exit_rise_later",
            PART,
            "Step of the logit per arrival, from the second on",
            "logit",
            exits.rise_later,
            rule="as for the first step",
        ),
    ]


def exit_accuracies() -> list[Claim]:
    """How often the answer is right."""
    return [
        Claim(
            "exit_accuracy_none",
            PART,
            "Right answers without thought, of thoughts with 4 to 9 arrivals",
            "share",
            exits.accuracy_without_thought,
            LEVEL,
            CONTAINED,
        ),
        Claim(
            "exit_accuracy_later",
            PART,
            "Right answers from the first arrival on, of thoughts with 4 to 9 arrivals",
            "share",
            exits.accuracy_after_arrivals,
            LEVEL,
            CONTAINED,
        ),
        Claim(
            "exit_accuracy_jump",
            PART,
            "Right answers at the first arrival, minus without thought",
            DIFFERENCE,
            exits.accuracy_jump,
            rule="the interval of the difference within thoughts lies above 0",
        ),
    ]


def exit_logits(references: References) -> list[Claim]:
    """Every published mean logit."""
    return [
        Claim(
            f"exit_logit_{arrivals}_{number}",
            PART,
            f"Logit at exit {number}, {arrivals} arrivals",
            "logit",
            partial(exits.logit, arrivals=arrivals, number=number),
            LEVEL,
            CONTAINED,
            "exit_logit",
            value,
        )
        for arrivals, curve in references.logits.items()
        for number, value in enumerate(curve)
    ]
