"""Interventions: changes of a completion's states and logits while it is decoded.

An intervention changes the states of one part of one layer when tokens of the
completion are read: it adds a vector, scales units, or projects a direction out. Keys
and values of later layers follow from the changed states, so later tokens see the
change. The prompt before its last token is read without any change.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from doubletake.model.decoder import Decoder
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings

Part = Literal["resid", "attn_out", "mlp_out", "heads", "units"]
"""`resid`: the residual stream before a layer (layer n_layers: before the final norm).
`attn_out`, `mlp_out`: what attention or MLP adds to the stream. `heads`: the outputs of
all heads, the input of attention's output projection. `units`: the hidden units of the
MLP, the input of its down projection."""
PositionKind = Literal[
    "every",
    "prompt_end",
    "first",
    "sentence_ends",
    "paragraph_ends",
    "after_arrivals",
    "from",
]
TEXT_KINDS = ("sentence_ends", "paragraph_ends", "after_arrivals")
"""Positions that the text decides."""


@dataclass(frozen=True)
class Positions:
    """The tokens at which an intervention changes states.

    Position 0 is the last token that the request gives: the last one of its prompt, or
    of its `ids`. Position p > 0 is the p-th token that is decoded after it. A change at
    position p is made when token p is read. So it acts on the choice of token p + 1.

    - `every`: all positions.
    - `prompt_end`: position 0 only.
    - `first`: positions below `count`.
    - `from`: positions from `count` on.
    - `sentence_ends`: the thought up to token p ends a sentence, as far as can be told
      before the next token. White space may follow. So the next token may start a
      sentence. The end of the prompt is no such place.
    - `paragraph_ends`: the thought up to token p ends with a blank line (SEAL, arXiv
      2504.07986).
    - `after_arrivals`: from the token on that shows the thought's first arrival, as the
      causal detector finds it, up to the end of the thought.
    """

    kind: PositionKind
    count: int = 0
    """Of `first` and `from`, in tokens."""


EVERY = Positions("every")
UNIT_TOLERANCE = 1e-3
"""Largest distance of a unit vector's norm from 1."""


@dataclass(frozen=True, eq=False)
class Intervention:
    """A change of the states in one place of the model.

    With states x and the unit vector u it gives
    (x - share (x . u) u) * factors + added, in float32, then in the model's dtype.
    A tensor that is None changes nothing. For a mean ablation of some units, `factors`
    are 0 and `added` is the mean there; elsewhere they are 1 and 0.
    """

    name: str
    layer: int
    """The layer; for `resid` the boundary, 0 to n_layers."""
    part: Part
    positions: Positions
    model: str
    """The model that the vectors belong to, as `model_name` writes it."""
    added: torch.Tensor | None = None
    """[width of the part]: d_model; `heads`: n_heads * d_head; `units`: n_units."""
    factors: torch.Tensor | None = None
    """[width of the part]; `heads` also takes one factor for each head."""
    removed: torch.Tensor | None = None
    """[width of the part], a unit vector that is projected out."""
    share: float = 1.0
    """Share of the projection that is taken away; 2 mirrors the states."""

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides what it does."""
        place = [self.layer, self.part, self.positions.kind, self.positions.count]
        digest = hashlib.sha256(json.dumps([*place, self.model, self.share]).encode())
        for vector in (self.added, self.factors, self.removed):
            digest.update(b"-" if vector is None else b"+")
            if vector is not None:
                digest.update(vector.float().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class WordChange:
    """Adds a number to the logits of some tokens, at every choice of a token.

    The log-prob that is kept of a chosen token is that of the unchanged logits.
    """

    ids: tuple[int, ...]
    change: float
    """Minus infinity forbids the tokens."""


@dataclass
class InterventionRecord:
    """Where states were changed, as the decoding itself notes it down."""

    positions: dict[tuple[str, str], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Positions in rising order, by name and trace of the request. A request whose
    states were never changed has no entry."""


def model_name(settings: ModelSettings) -> str:
    """The name of a model in interventions: source@revision.

    A model in a folder has no revision, and its name ends with the @.
    """
    return f"{settings.source}@{settings.revision or ''}"


def needs_text(interventions: Sequence[Intervention]) -> bool:
    """Whether the text decides where one of these acts."""
    return any(one.positions.kind in TEXT_KINDS for one in interventions)


def width_of(decoder: Decoder, part: Part, layer: int) -> int:
    """Width of the states of a part.

    Raises:
        InputError: units of a mixture of experts.
    """
    if part == "heads":
        return decoder.attention_out(layer).in_features
    if part == "units":
        return decoder.mlp_down(layer).in_features
    return decoder.d_model


def check_interventions(
    decoder: Decoder, interventions: Iterable[Intervention]
) -> None:
    """Refuse what this model cannot do.

    Raises:
        InputError: an intervention belongs to another model, its layer is out of range,
            a vector has another width or is not finite, the removed direction is no
            unit vector, or it acts on units of a mixture of experts. The message names
            the intervention.
    """
    model = model_name(decoder.settings)
    for one in interventions:
        if one.model != model:
            raise InputError(
                f"intervention {one.name}: its vectors belong to {one.model}, but the "
                f"model is {model}"
            )
        last = decoder.n_layers - (one.part != "resid")
        if not 0 <= one.layer <= last:
            raise InputError(
                f"intervention {one.name}: {one.part} has no layer {one.layer} (the "
                f"layers of {model} are 0 to {last})"
            )
        if one.positions.count < 0:
            raise InputError(
                f"intervention {one.name}: a count of {one.positions.count} positions"
            )
        _check_vectors(decoder, one)


def _check_vectors(decoder: Decoder, one: Intervention) -> None:
    width = width_of(decoder, one.part, one.layer)
    widths = {"added": {width}, "factors": {width}, "removed": {width}}
    if one.part == "heads":
        widths["factors"].add(decoder.config.num_attention_heads)
    for what, allowed in widths.items():
        vector = getattr(one, what)
        if vector is None:
            continue
        if tuple(vector.shape) not in {(size,) for size in allowed}:
            sizes = " or ".join(map(str, sorted(allowed)))
            raise InputError(
                f"intervention {one.name}: {what} has the shape {list(vector.shape)}, "
                f"but {one.part} of layer {one.layer} has the width {sizes}"
            )
        if not torch.isfinite(vector).all():
            raise InputError(
                f"intervention {one.name}: {what} holds values that are not finite"
            )
    if one.removed is not None:
        norm = float(one.removed.double().norm())
        if abs(norm - 1) > UNIT_TOLERANCE:
            raise InputError(
                f"intervention {one.name}: the removed direction has the norm "
                f"{norm:.4g} and is no unit vector"
            )
