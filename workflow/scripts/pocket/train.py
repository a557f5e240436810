"""Pocket model: a reasoning model of a million parameters, trained from nothing.

Can a model this small derive an answer, doubt it, check it and mend its own slips?
It learns from generated problems and thoughts (`pocket.language`), with
the loss on thought and answer alone.

Inputs
    settings: `config/pocket-training.yaml`, every number of the training.

Outputs
    model: folder with weights (safetensors), config, tokenizer and chat template.
    training: what the training took: tokens, seconds, parameters, the loss curve.
Beside the model, `checkpoint.pt` holds the state that a killed training goes on from;
it is removed when the model is written.
"""

import dataclasses
import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import yaml
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM
from transformers import PreTrainedTokenizerFast as Tokenizer

from doubletake.model.devices import choose_device
from doubletake.running.errors import InputError
from doubletake.running.logs import job
from doubletake.stats.draws import generator
from pocket.language import Habits
from pocket.muon import Muon
from pocket.rows import (
    IGNORED,
    Row,
    collate,
    drill_batches,
    sample_batches,
    training_texts,
)
from pocket.tokenizer import END_OF_THOUGHT, train_tokenizer

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("train_pocket")

MIN_COUNT = 40
"""How often a word must occur in the tokenizer's texts to be a token of its own."""


@dataclass(frozen=True)
class Stage:
    """A part of the training."""

    tokens: int
    """Tokens seen at which it begins."""
    drills: bool = False
    """Bare equations instead of thoughts."""
    habits: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Habits of the thoughts that differ from `Settings.habits`."""


@dataclass(frozen=True)
class Settings:
    """The training's settings, `config/pocket-training.yaml`."""

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
    """Longest sequence, in tokens."""
    tokenizer_rows: int
    """Training texts from which the tokenizer takes its words."""
    merges: int
    """Byte-pair merges of the tokenizer."""
    tokens: int
    """Length of the training, in tokens of prompt and completion."""
    batch_tokens: int
    """Tokens of a batch, padding included."""
    pool_rows: int
    """Thoughts generated at a time and sorted by length."""
    learning_rate: float
    """Step size of the matrices (Muon) in the middle of the training."""
    adam_learning_rate: float
    """Step size of embeddings and norms (AdamW)."""
    weight_decay: float
    """Weight decay of the matrices."""
    schedule: list[tuple[int, float]]
    """Corners of the step sizes' course: tokens seen, share of the full size."""
    stages: list[Stage]
    """What the model reads, one after the other; the last goes on to the end."""
    compile: bool
    """Compile the model: three times as fast on a CPU, but needs a C++ compiler."""
    checkpoint_seconds: int
    """Seconds between two checkpoints."""
    habits: Habits
    """What the thoughts do how often."""

    @property
    def course(self) -> dict[str, Any]:
        """What a checkpoint must have been made with to be gone on from.

        The schedule and the stages are left out, so that they may be changed on the
        way; what they say of tokens already seen is then no longer checked.
        """
        free = {"tokens", "schedule", "stages", "compile", "checkpoint_seconds"}
        every = dataclasses.asdict(self)
        return {key: value for key, value in every.items() if key not in free}

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """The settings of a YAML file.

        Raises:
            InputError: if a key is missing or unknown, or no stage begins the training.
        """
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        try:
            stages = [Stage(**stage) for stage in raw.pop("stages")]
            habits = Habits(**raw.pop("habits"))
            for stage in stages:
                dataclasses.replace(habits, **stage.habits)
            if not stages or stages[0].tokens != 0:
                raise InputError(f"{path}: stages must begin at 0 tokens")
            return cls(**raw, stages=stages, habits=habits)
        except KeyError as error:
            raise InputError(f"{path}: no {error}") from error
        except TypeError as error:
            raise InputError(f"{path}: {error}") from error


def make_tokenizer(settings: Settings) -> Tokenizer:
    """The tokenizer, from a few thousand training texts."""
    texts = training_texts(
        random.Random(settings.seed), settings.habits, settings.tokenizer_rows
    )
    plain = [p for pair in texts for text in pair for p in text.split(END_OF_THOUGHT)]
    return train_tokenizer(plain, merges=settings.merges, min_count=MIN_COUNT)


def make_model(settings: Settings, tokenizer: Tokenizer) -> LlamaForCausalLM:
    """The model with its first weights."""
    torch.manual_seed(settings.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden,
        intermediate_size=settings.mlp,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.kv_heads,
        max_position_embeddings=settings.positions,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.6,
        top_p=0.95,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return model


def completion_loss(
    body: Callable[..., Any],
    head: torch.nn.Module,
    ids: torch.Tensor,
    targets: torch.Tensor,
) -> torch.Tensor:
    """Mean cross-entropy over the completion tokens, in nats."""
    resid = body(input_ids=ids, use_cache=False).last_hidden_state
    wanted = targets != IGNORED
    logits = head(resid[wanted])
    return torch.nn.functional.cross_entropy(logits.float(), targets[wanted])


def make_optimizers(
    model: LlamaForCausalLM, settings: Settings
) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for everything else."""
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    known = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in known]
    muon = Muon(matrices, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    adam = torch.optim.AdamW(
        others,
        lr=settings.adam_learning_rate,
        betas=(0.9, 0.98),
        fused=True,
        weight_decay=0.0,
    )
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["peak_lr"] = group["lr"]
    return [muon, adam]


def rate(tokens: int, settings: Settings) -> float:
    """Share of the full step size after so many tokens: linear between the corners."""
    places, shares = zip(*settings.schedule, strict=True)
    return float(np.interp(tokens, places, shares))


@dataclass
class Progress:
    """Where the training stands."""

    pool: int = 0
    begun: int = 0
    """Tokens seen when this pool was made; what is in it depends on them."""
    batch: int = 0
    tokens: int = 0
    steps: int = 0
    seconds: float = 0.0
    losses: list[tuple[int, float]] = dataclasses.field(default_factory=list)
    """Tokens seen and mean loss since the entry before."""


def save_checkpoint(
    path: Path,
    model: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    progress: Progress,
    settings: Settings,
) -> None:
    """Write the whole state under a temporary name, then rename it."""
    state = {
        "course": settings.course,
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
    """The state of a training that was cut off; the start where there is none."""
    if not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True)
    if state["course"] != settings.course:
        logger.warning("%s is of other settings: starting anew", path)
        return Progress()
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    progress = Progress(**state["progress"])
    logger.info("going on after %d tokens", progress.tokens)
    return progress


def batches_from(
    settings: Settings, tokenizer: Tokenizer, progress: Progress
) -> Iterator[list[Row]]:
    """The batches that follow; advances `progress` past each as it is handed out."""
    while True:
        batches = pool_of(settings, tokenizer, progress)
        while progress.batch < len(batches):
            progress.batch += 1
            yield batches[progress.batch - 1]
        progress.pool, progress.batch = progress.pool + 1, 0
        progress.begun = progress.tokens


def pool_of(
    settings: Settings, tokenizer: Tokenizer, progress: Progress
) -> list[list[Row]]:
    """The batches of a pool, of the stage in which it begins."""
    rng = generator(settings.seed, progress.pool)
    size = {"rows": settings.pool_rows, "batch_tokens": settings.batch_tokens}
    stage = [s for s in settings.stages if s.tokens <= progress.begun][-1]
    if stage.drills:
        return drill_batches(tokenizer, rng=rng, **size)
    habits = dataclasses.replace(settings.habits, **stage.habits)
    return sample_batches(tokenizer, rng=rng, habits=habits, **size)


def train(
    model: LlamaForCausalLM,
    tokenizer: Tokenizer,
    checkpoint_path: Path,
    settings: Settings,
) -> Progress:
    """Train to the end, from the checkpoint where there is one."""
    device = choose_device("auto")
    model.to(device).train()
    optimizers = make_optimizers(model, settings)
    progress = load_checkpoint(checkpoint_path, model, optimizers, settings)
    body = torch.compile(model.model, dynamic=True) if settings.compile else model.model
    begun, before = time.monotonic(), progress.seconds
    saved, recent = begun, torch.zeros(2)
    for batch in batches_from(settings, tokenizer, progress):
        ids, targets = collate(batch, tokenizer.pad_token_id)
        loss = completion_loss(body, model.lm_head, ids.to(device), targets.to(device))
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * rate(progress.tokens, settings)
            optimizer.step()
        progress.tokens += sum(len(row.ids) for row in batch)
        progress.steps += 1
        recent += torch.tensor([loss.item(), 1.0])
        now = time.monotonic()
        progress.seconds = before + now - begun
        if progress.steps % 50 == 0:
            mean = float(recent[0] / recent[1])
            progress.losses.append((progress.tokens, round(mean, 4)))
            recent.zero_()
            speed = progress.tokens / progress.seconds
            share = progress.tokens / settings.tokens
            line = "%d tokens (%.0f%%), loss %.4f, %.0f tokens/s"
            logger.info(line, progress.tokens, 100 * share, mean, speed)
        if progress.tokens >= settings.tokens:
            break
        if now - saved > settings.checkpoint_seconds:
            save_checkpoint(checkpoint_path, model, optimizers, progress, settings)
            saved = now
    save_checkpoint(checkpoint_path, model, optimizers, progress, settings)
    return progress


def save_model(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the model folder."""
    model.to("cpu").save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main(*, settings_path: Path, model_path: Path, training_path: Path) -> None:
    """Make the tokenizer, train the model, write both and what it took."""
    settings = Settings.read(settings_path)
    checkpoint_path = model_path.parent / "checkpoint.pt"
    checkpoint_path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(settings)
    model = make_model(settings, tokenizer)
    logger.info("%d entries, %d parameters", len(tokenizer), model.num_parameters())
    progress = train(model, tokenizer, checkpoint_path, settings)
    save_model(model, tokenizer, model_path)
    record = {
        "parameters": model.num_parameters(),
        "vocabulary": len(tokenizer),
        "tokens": progress.tokens,
        "steps": progress.steps,
        "seconds": round(progress.seconds),
        "threads": torch.get_num_threads(),
        "device": model.device.type,
        "torch": torch.__version__,
        "losses": progress.losses,
    }
    training_path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    checkpoint_path.unlink()


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            settings_path=Path(snakemake.input.settings),
            model_path=Path(snakemake.output.model),
            training_path=Path(snakemake.output.training),
        )
