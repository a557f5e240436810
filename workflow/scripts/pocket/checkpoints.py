"""Checkpoints of the training of the pocket model, to continue a stopped training."""

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import LlamaForCausalLM

from pocket.training_settings import Settings

logger = logging.getLogger("train_pocket")


@dataclass
class Progress:
    """State of the training besides weights and optimizers."""

    pool: int = 0
    """Number of pools that are used up."""
    tokens_before_pool: int = 0
    """Number of tokens read before this pool; they decide its stage."""
    batch: int = 0
    """Number of batches of this pool that are used up."""
    tokens: int = 0
    steps: int = 0
    seconds: float = 0.0
    losses: list[tuple[int, float]] = dataclasses.field(default_factory=list)
    """Number of tokens read, and mean loss in nats since the entry before."""


def save_checkpoint(
    path: Path,
    model: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    progress: Progress,
    settings: Settings,
) -> None:
    """Write the whole state under a temporary name, then rename the file."""
    state = {
        "settings": settings.fixed,
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "progress": dataclasses.asdict(progress),
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def load_checkpoint(
    path: Path,
    model: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    settings: Settings,
) -> Progress:
    """Load the state of a stopped training; without a checkpoint, start at 0.

    The weights and the optimizers are changed in place.
    """
    if not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True)
    if state.get("settings") != settings.fixed:
        logger.warning(
            "%s was made with other settings or other code: the training starts again",
            path,
        )
        return Progress()
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    progress = Progress(**state["progress"])
    logger.info("the training continues after %d tokens", progress.tokens)
    return progress
