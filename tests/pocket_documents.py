"""Parts of the pocket model's card and page that follow from its code and its files."""

import json
import random
from collections.abc import Iterable, Mapping
from typing import Any

from checkouts import ROOT

from pocket.causes import (
    BASE_RATES,
    CAUSES,
    CHOICE_OF_WORD,
    GO_ON,
    NONE,
    TURN,
    WITH_CAUSE,
    WRAP_UP,
    first_words,
    turn_rate,
)
from pocket.planted_events import Boundary, Thought
from pocket.problems import Problem, sample_problem
from pocket.thoughts import sample_thought
from pocket.training_settings import Settings
from pocket.wanted import measured_table

MODEL = ROOT / "resources/pocket"
SETTINGS = ROOT / "config/pocket-training.yaml"


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((MODEL / name).read_text(encoding="utf-8"))
    return content


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), ["---" for _ in head], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _contexts() -> dict[str, tuple[str, int]]:
    """Cause and number of turns of every row of the planted tables."""
    rows = {_words(cause): (cause, 0) for cause in WITH_CAUSE}
    last = len(BASE_RATES) - 1
    for turns in range(len(BASE_RATES)):
        rows[_after(f"{turns}+" if turns == last else str(turns))] = (NONE, turns)
    return rows


def _after(turns: str) -> str:
    noun = "turn" if turns == "1" else "turns"
    return f"none, after {turns.replace('+', ' or more')} {noun}"


def rates() -> str:
    """Planted share of each choice, by cause."""
    rows = []
    for name, (cause, turns) in _contexts().items():
        words = first_words(cause, turns)
        ends = (
            sum(share for word, share in words.items() if CHOICE_OF_WORD[word] == kind)
            for kind in (WRAP_UP, GO_ON)
        )
        shares = (turn_rate(cause, turns), *ends)
        rows.append([name, *(f"{share:.0%}" for share in shares)])
    return _table(["cause", "turns back", "wraps up", "goes on"], rows)


def effects() -> str:
    """Planted effect of each cause before the first turn."""
    base = turn_rate(NONE, 0)
    rows = [
        [
            _words(cause),
            f"{turn_rate(cause, 0):.0%}",
            f"{base:.0%}",
            f"{100 * (turn_rate(cause, 0) - base):+.0f} points",
        ]
        for cause in WITH_CAUSE
    ]
    return _table(["cause", "with it", "in the twin", "planted effect"], rows)


def first_word_shares() -> str:
    """Planted share of each first word, by cause."""
    rows = []
    for name, (cause, turns) in _contexts().items():
        words = first_words(cause, turns)
        cells = (f"{words[w]:.0%}" if w in words else "" for w in CHOICE_OF_WORD)
        rows.append([name, *cells])
    return _table(["cause", *CHOICE_OF_WORD], rows)


def measured() -> str:
    """Measured and wanted numbers of the shipped model."""
    return measured_table(_read("metrics.json"))


def measured_rates() -> str:
    """Measured and planted turn rate of the shipped model, by cause."""
    return rates_table(_read("metrics.json")["boundaries"])


def rates_table(boundaries: Mapping[str, Any]) -> str:
    """Measured and planted turn rate, by cause.

    Args:
        boundaries: this part of the metrics.
    """
    found = {_words(cause): boundaries["turn_rate"][cause] for cause in CAUSES}
    for turns, rate in boundaries["turn_rate_without_a_cause"].items():
        found[_after(turns)] = rate
    rows = [
        [name, f"{rate['n']:,}", *map(_percent, (rate["planted"], rate["share"]))]
        for name, rate in found.items()
    ]
    return _table(["cause", "boundaries", "planted", "measured"], rows)


def leading() -> str:
    """Words that lead where the shipped model turned back."""
    found = _read("metrics.json")["leading_words"]
    names = [w for w, share in found["all_turns"]["share"].items() if share >= 0.01]
    rows = [
        [
            f"{label}, n = {found[key]['n']:,}",
            *(_percent(found[key]["share"].get(name, 0)) for name in names),
        ]
        for label, key in (("all turns", "all_turns"), ("first turns", "first_turns"))
    ]
    return _table(["", *names], rows)


def exits() -> str:
    """Confidence and accuracy of the shipped model at its exits."""
    names = {
        "exit_0": "exit 0, before any thought",
        "exit_0_of_the_thoughts": "exit 0 of the problems with a thought",
        "later": "later exits, one after each arrival",
        "all": "all exits of these thoughts",
    }
    heads = {
        "mean_confidence": "mean confidence",
        "accuracy": "right",
        "closed": "closed",
        "ece": "ECE",
        "ece_of_calibrated": "ECE if calibrated",
        "brier": "Brier",
        "auroc": "AUROC",
    }
    found = _read("metrics.json")["exits"]
    rows = [
        [name, f"{found[key]['n']:,}", *(_decimals(found[key][k]) for k in heads)]
        for key, name in names.items()
    ]
    return _table(["", "exits", *heads.values()], rows)


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1%}"


def _decimals(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def turns() -> str:
    """Numbers of turns of the shipped model's thoughts, and their length."""
    found = _read("metrics.json")["thoughts"]
    counts = found["turns"]
    names = [name for name in counts if name.isdecimal()]
    table = _table(
        ["turns", *names, f"more than {names[-1]}"],
        [["thoughts", *(_percent(counts[name]) for name in (*names, "more"))]],
    )
    lengths = found["tokens"]
    return (
        f"{table}\n\nMean length of a completion: {lengths['mean']:.0f} tokens; "
        f"the longest has {lengths['longest']}."
    )


def architecture() -> str:
    """Size of the shipped model."""
    training, config = _read("training.json"), _read("config.json")
    return (
        f"- Architecture: `{config['architectures'][0]}`,\n"
        f"  {training['parameters']:,} parameters in {config['dtype']}.\n"
        f"  {config['num_hidden_layers']} layers, width {config['hidden_size']}, "
        f"{config['num_attention_heads']} query and "
        f"{config['num_key_value_heads']} key/value heads,\n"
        f"  MLP {config['intermediate_size']}, tied embeddings, "
        f"{config['max_position_embeddings']:,} positions.\n"
        f"- Tokenizer: byte-level BPE with {training['vocabulary']} entries."
    )


def training() -> str:
    """What the training of the shipped model took."""
    record = _read("training.json")
    place = (
        "a GPU" if record["device"] == "cuda" else f"{record['threads']} CPU threads"
    )
    (_, first), (_, last) = record["losses"][0], record["losses"][-1]
    return (
        f"The training took {record['tokens']:,} tokens in {record['steps']:,} steps "
        f"and {record['seconds'] / 60:.0f} minutes\n"
        f"on {place} (torch {record['torch']}). The mean loss was {first:.2f} nats per "
        f"token at\nthe start and {last:.3f} at the end."
    )


def rows_of_training() -> str:
    """Kinds of training rows, and their shares in the last stage."""
    settings = Settings.read(SETTINGS)
    forced, drills = settings.forced_answers, settings.stages[-1].drills
    cuts = {
        "question without a thought": forced.no_thought,
        "thought cut after an arrival": forced.arrival,
        "thought cut in the first derivation": forced.derivation,
    }
    whole = 1 - sum(cuts.values())
    rows = [["whole thought", _share((1 - drills) * whole), "thought and answer", "1"]]
    for name, share in cuts.items():
        weight = f"{forced.weight:g}"
        rows.append([name, _share((1 - drills) * share), "answer alone", weight])
    weight = f"{settings.drill_weight:g}"
    rows.append(["drill", _share(drills), "true results, denials", weight])
    return _table(["row", "share of rows", "loss on", "weight of a token"], rows)


def stages_of_training() -> str:
    """What the model reads in each stage."""
    rows = [
        [
            f"{stage.tokens:,}",
            _share(stage.drills),
            "yes" if stage.forced_answers else "no",
        ]
        for stage in Settings.read(SETTINGS).stages
    ]
    return _table(["from token", "drills among the rows", "forced answers"], rows)


def _share(value: float) -> str:
    return f"{100 * value:.3g}%"


def example() -> str:
    """A planted thought with its boundaries marked, and what is planted there."""
    problem, thought = _example()
    text, marked, done = thought.text, "", 0
    for number, boundary in enumerate(thought.boundaries, 1):
        marked += f"{text[done : boundary.start]}**[{number}]** "
        done = boundary.start
    rows = [
        [
            str(number),
            boundary.word,
            _words(boundary.choice or ""),
            _words(boundary.cause.kind),
            _characters(boundary, problem, thought),
            f"{boundary.probability:.0%}",
        ]
        for number, boundary in enumerate(thought.boundaries, 1)
    ]
    head = ["", "first word", "choice", "cause", "its characters", "turns back"]
    thought_lines = _quoted(marked + text[done:])
    return f"{_quoted(problem.question)}\n\n{thought_lines}\n\n{_table(head, rows)}"


def _quoted(text: str) -> str:
    """A quotation in Markdown that keeps line breaks and paragraphs."""
    paragraphs = (part.replace("\n", "<br>") for part in text.split("\n\n"))
    return "\n>\n".join(f"> {paragraph}" for paragraph in paragraphs)


def _characters(boundary: Boundary, problem: Problem, thought: Thought) -> str:
    cause = boundary.cause
    if cause.span is None:
        return ""
    text = problem.question if cause.place == "question" else thought.text
    return f'"{text[slice(*cause.span)]}" of the {cause.place}'


def _example() -> tuple[Problem, Thought]:
    """The first thought of a seed in which every cause holds at a turn."""
    rng = random.Random(0)
    while True:
        problem = sample_problem(rng)
        thought = sample_thought(problem, rng)
        turned = {b.cause.kind for b in thought.boundaries if b.choice == TURN}
        goes_on = any(b.choice == GO_ON for b in thought.boundaries)
        if turned == set(CAUSES) and goes_on and len(thought.boundaries) <= 7:
            return problem, thought


CARD = {
    "architecture": architecture,
    "training": training,
    "rows": rows_of_training,
    "stages": stages_of_training,
    "rates": rates,
    "words": first_word_shares,
    "measured": measured,
    "measured-rates": measured_rates,
    "turns": turns,
    "leading": leading,
    "exits": exits,
}
"""The function of each generated part of the card, by marker."""
PAGE = {
    "example": example,
    "effects": effects,
    "rates": rates,
    "words": first_word_shares,
    "rows": rows_of_training,
    "measured-rates": measured_rates,
}
"""The function of each generated part of the page on the language, by marker."""
