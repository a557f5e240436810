"""All published claims: where a run holds the number, and when a claim is reproduced."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from reproduction import exits, insides, interventions, words
from reproduction.published import References
from reproduction.run import Finding, Run
from reproduction.tables import LEVEL, SHAPE

CONTAINED = "the interval contains the published number"


@dataclass(frozen=True)
class Claim:
    """A published number, or a statement."""

    name: str
    part: str
    """The experiment that measures it, as a reader knows it."""
    quantity: str
    unit: str
    find: Callable[[Run], Finding]
    """Takes the number from the tables of a run."""
    kind: str = SHAPE
    rule: str = ""
    """When it counts as reproduced."""
    published: str = ""
    """Name of its entry in the file of published claims, if it has another name."""
    value: float | None = field(default=None)
    """Published number, where the entry stands for several."""

    @property
    def entry(self) -> str:
        """Name of its entry in the file of published claims."""
        return self.published or self.name


def all_claims(references: References) -> list[Claim]:
    """Every claim, in the order of the page."""
    return [
        *_exit_shapes(),
        *_accuracies(),
        *_insides(references),
        *_words(references),
        *_interventions(),
        *_exit_logits(references),
    ]


def _exit_shapes() -> list[Claim]:
    part = "Early exit"
    return [
        Claim(
            "exit_jump",
            part,
            "Logit of the answer at the first arrival, minus without thought",
            "logit",
            exits.logit_jump,
            rule="the interval of the difference within thoughts lies above 0",
        ),
        Claim(
            "exit_rise_second",
            part,
            "Step of the logit from the first arrival to the second",
            "logit",
            exits.rise_to_second,
            rule="the interval of the step lies above 0; by our recipe also that of the "
            "steps after which the thought went on",
        ),
        Claim(
            "exit_rise_later",
            part,
            "Step of the logit per arrival, from the second on",
            "logit",
            exits.rise_later,
            rule="as for the first step",
        ),
    ]


def _accuracies() -> list[Claim]:
    part = "Early exit"
    return [
        Claim(
            "exit_accuracy_none",
            part,
            "Right answers without thought, of thoughts with 4 to 9 arrivals",
            "share",
            exits.accuracy_without_thought,
            LEVEL,
            CONTAINED,
        ),
        Claim(
            "exit_accuracy_later",
            part,
            "Right answers from the first arrival on, of thoughts with 4 to 9 arrivals",
            "share",
            exits.accuracy_after_arrivals,
            LEVEL,
            CONTAINED,
        ),
        Claim(
            "exit_accuracy_jump",
            part,
            "Right answers at the first arrival, minus without thought",
            "share",
            exits.accuracy_jump,
            rule="the interval of the difference within thoughts lies above 0",
        ),
    ]


def _insides(references: References) -> list[Claim]:
    listed = references.entry("vector_listed").unit_of
    depth = references.entry("probe_layers").depth
    return [
        Claim(
            "filter_share",
            "Turns",
            "First backtracks at which a backtrack word is the most likely token",
            "share",
            insides.filter_share,
            LEVEL,
            CONTAINED,
        ),
        Claim(
            "probe_best",
            "Probes",
            "Boundary at which a probe separates turning back from wrapping up best",
            "boundary",
            insides.best_boundary,
            LEVEL,
            "it lies in the published range",
        ),
        Claim(
            "probe_layers",
            "Probes",
            "Boundaries between 19% and 94% of the depth at which the probe tells",
            "share",
            partial(insides.told_boundaries, depth=(depth[0], depth[1])),
            rule="more than half of them: the AUROC's interval lies above 0.5; by our "
            "recipe the probe is above its best control, for all boundaries at once",
        ),
        Claim(
            "vector_listed",
            "MLP value vectors",
            f"Vector {listed['vector']} of layer {listed['layer']} is among the listed",
            "1: yes, 0: no",
            partial(insides.listed_vector, **listed),
            LEVEL,
            "it is listed",
        ),
        Claim(
            "vector_words",
            "MLP value vectors",
            "Listed vectors for turning back that write a backtrack word, minus those "
            "against it",
            "share",
            insides.vector_words,
            rule="Fisher's exact test, one-sided, p at most 0.05",
        ),
    ]


def _words(references: References) -> list[Claim]:
    part = "Attribution"
    claims = [
        Claim(
            "overlap",
            part,
            "The ten most important words that occur in the next 100 words",
            "share",
            words.overlap,
            LEVEL,
            CONTAINED,
        ),
        Claim(
            "last_part",
            part,
            "Importance of the last fifth of the thought",
            "of the largest",
            words.last_part,
            rule="its interval lies above those of the question and all other fifths",
        ),
        Claim(
            "question_part",
            part,
            "Importance of the question",
            "of the largest",
            words.question_part,
            rule="its interval lies above those of the first four fifths",
        ),
    ]
    names = ("the question", *(f"fifth {k} of the thought" for k in range(1, 6)))
    return claims + [
        Claim(
            f"context_part_{number}",
            part,
            f"Importance of {name}",
            "of the largest",
            partial(words.context_part, part=number),
            LEVEL,
            CONTAINED,
            "context_part",
            value,
        )
        for number, (name, value) in enumerate(
            zip(names, references.parts, strict=True)
        )
    ]


def _interventions() -> list[Claim]:
    return [
        Claim(
            "steering_once",
            "Injection",
            "Share of the divergence on the first token, vector injected once at the "
            "prompt\u2019s end; the lowest one tested",
            "share",
            interventions.injected_once,
            rule="for every tested direction and depth, the corrected interval lies "
            "above 0.5",
        ),
        Claim(
            "steering_attention",
            "Injection",
            "Attention to the injected token minus that to it unsteered; the largest one",
            "share",
            interventions.injected_attention,
            rule="the experiment on injection calls the presumption supported for every "
            "direction and depth that it could check",
        ),
        Claim(
            "steering_continuous",
            "Steering",
            "Backtracks per 100 tokens at the largest strength toward turning back with "
            "whole text, minus none",
            "backtracks",
            interventions.continuous,
            rule="no strength raises turning while the text stays whole, and some "
            "strength breaks the text",
        ),
        Claim(
            "steering_wrap_up",
            "Steering",
            "Fall of the backtracks per 100 tokens at the largest strength away from "
            "turning back with whole text",
            "backtracks",
            interventions.wrap_up,
            rule="its interval lies above that of the rise on the other side",
        ),
        Claim(
            "wrong_samples",
            "Wrong samples",
            "Wrong thoughts mended by steering, minus by resampling",
            "share",
            interventions.wrong_samples,
            rule="the interval lies below +10 points",
        ),
        Claim(
            "ablation_targeted",
            "Ablation",
            "Probability of turning back with leading units set to 0, minus with random "
            "units",
            "probability",
            interventions.targeted,
            rule="below 0, by rank among random sets (Holm, 0.05)",
        ),
    ]


def _exit_logits(references: References) -> list[Claim]:
    return [
        Claim(
            f"exit_logit_{arrivals}_{number}",
            "Early exit",
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
