"""Settings of the training of the pocket model, read from a YAML file."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from doubletake.running.errors import InputError
from pocket.training_batches import ForcedAnswers


@dataclass(frozen=True)
class Stage:
    """A part of the training."""

    tokens: int
    """Number of tokens read before it begins."""
    drills: float
    """Share of the rows that are drills, which are lists of bare equations."""


@dataclass(frozen=True)
class Settings:
    """The settings of `config/pocket-training.yaml`."""

    seed: int
    """Seed of the problems, the thoughts and the first weights."""
    hidden: int
    """Width of the residual stream."""
    layers: int
    """Decoder layers."""
    heads: int
    """Query heads."""
    kv_heads: int
    """Key and value heads."""
    mlp: int
    """Width of the MLP."""
    positions: int
    """Length limit of a sequence, in tokens."""
    tokenizer_rows: int
    """Number of training texts from which the tokenizer takes its words."""
    merges: int
    """Number of byte-pair merges of the tokenizer."""
    tokens: int
    """Length of the training, in tokens of prompt and completion."""
    batch_tokens: int
    """Largest number of tokens of a batch, with padding."""
    pool_rows: int
    """Number of thoughts that are generated together and sorted by length."""
    learning_rate: float
    """Step size of the matrices (Muon) in the middle of the training."""
    adam_learning_rate: float
    """Step size of embeddings and norms (AdamW)."""
    weight_decay: float
    """Weight decay of the matrices."""
    schedule: list[tuple[int, float]]
    """Corners of the schedule: number of tokens read, share of the full step size."""
    stages: list[Stage]
    """Stages in their order; the last stage lasts to the end."""
    compile: bool
    """Whether to compile the model: 3 times as fast on a CPU; needs a C++ compiler."""
    checkpoint_seconds: int
    """Seconds between two checkpoints."""
    drill_weight: float
    """Weight of the loss of a drill's results, where a token of a thought has 1."""
    forced_answers: ForcedAnswers
    """How many rows are closed early and answered."""

    @property
    def fixed(self) -> dict[str, Any]:
        """The settings that must be equal to continue a training from a checkpoint.

        The schedule and the stages may change during a training. Their values for
        tokens that are already read are not checked then.
        """
        changeable = {"tokens", "schedule", "stages", "compile", "checkpoint_seconds"}
        values = dataclasses.asdict(self)
        return {key: value for key, value in values.items() if key not in changeable}

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """The settings of a YAML file.

        Raises:
            InputError: a key is missing or unknown, or no stage begins at 0 tokens.
        """
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        try:
            stages = [Stage(**stage) for stage in raw.pop("stages")]
            forced = ForcedAnswers(**raw.pop("forced_answers"))
            if not stages or stages[0].tokens != 0:
                raise InputError(f"{path}: stages must begin at 0 tokens")
            return cls(**raw, stages=stages, forced_answers=forced)
        except KeyError as error:
            raise InputError(f"{path}: no {error}") from error
        except TypeError as error:
            raise InputError(f"{path}: {error}") from error
