"""Names of what is added while a thought is decoded, and of the published settings."""

from dataclasses import dataclass

NONE, DIRECTION = "none", "direction"
RANDOM, WITHIN, SHUFFLED = "random", "within", "shuffled"
CONTROLS = (RANDOM, WITHIN, SHUFFLED)
SOURCES = (NONE, DIRECTION, *CONTROLS)
"""What is added: nothing, a direction, or a control of the same norm. `random`: a
random vector; `within`: one in the span of the leading principal components of the
residual stream; `shuffled`: the recipe of the direction with shuffled labels."""
GRID, PUBLISHED = "grid", "published"
SETTINGS = (GRID, PUBLISHED)
"""Cells of the grid, and published settings."""
EVERY, SENTENCES, PARAGRAPHS = "every", "sentence_ends", "paragraph_ends"
POSITIONS = (EVERY, SENTENCES, PARAGRAPHS)
WRAP_UP = "wrap_up"
UNIT = "unit_"
"""Beginning of the name of a value vector: unit_LAYER_NUMBER."""
TOWARD, AWAY = "toward", "away"
SIDES = (AWAY, TOWARD)
"""Negative and positive strengths."""
TURNED, PROBABILITY = "turned", "probability"
SHORT_OUTCOMES = (TURNED, PROBABILITY)
"""What is measured of the turn of a short continuation: whether the detector finds a
backtrack in what was sampled, and how likely its first token is a turn word."""
WAIT_WORDS = ("wait", "hmm")
"""Words that Ward et al. count."""


@dataclass(frozen=True)
class PublishedSetting:
    """How a paper adds its vector."""

    depth: float
    """Boundary over the number of layers."""
    positions: str
    strengths: tuple[float, ...]
    """In the unit below."""
    unit: str
    """`difference`: lengths of the difference of means; `mean`: norms of the mean of
    the residual stream."""


# ASSUME: a published layer of another model stands for its share of the depth.
SETTINGS_OF_PAPERS = {
    "ward": PublishedSetting(10 / 32, EVERY, (-12.0, 12.0), "difference"),
    "venhoff": PublishedSetting(12 / 32, EVERY, (-1.0, 1.0), "mean"),
    "seal": PublishedSetting(20 / 28, PARAGRAPHS, (-1.0,), "difference"),
}
"""Ward et al. (arXiv 2507.12638): layer 10 of 32. Venhoff et al.
(cvenhoff/steering-thinking-llms): layer 12 of 32. SEAL (arXiv 2504.07986): layer 20 of
28."""


def unit_name(layer: int, unit: int) -> str:
    """Name of a value vector as a direction."""
    return f"{UNIT}{layer}_{unit}"


def in_words(direction: str) -> str:
    """Name of a direction on the page."""
    if direction.startswith(UNIT):
        layer, unit = direction.removeprefix(UNIT).split("_")
        return f"value vector {unit} of layer {layer}"
    return direction.replace("_", "-") if direction == WRAP_UP else direction


def expected_sign(direction: str) -> int:
    """1 where a positive strength should raise the rate of turning, else -1."""
    return -1 if direction == WRAP_UP else 1
