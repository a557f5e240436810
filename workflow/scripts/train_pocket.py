"""Pocket model: a reasoning model of a million parameters, trained from nothing.

Can a model this small derive an answer, doubt it, check it and mend its own slips?
It learns from generated problems and thoughts (`doubletake.pocket`), with the loss on
thought and answer alone.

Inputs
    settings: `config/pocket-training.yaml`, every number of the training.

Outputs
    model: folder with weights (safetensors), config, tokenizer and chat template.
    training: what the training took: tokens, seconds, parameters, the loss curve.
Beside the model, `checkpoint.pt` holds the state a killed training goes on from.
"""

import dataclasses
import json
import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM
from transformers import PreTrainedTokenizerFast as Tokenizer

from doubletake.errors import InputError
from doubletake.muon import Muon
from doubletake.pocket import Habits, sample_problem, sample_thought
from doubletake.pocket_problems import is_test_question
from doubletake.pocket_tokenizer import (
    ANSWER_PROMPT,
    completion_text,
    prompt_text,
    train_tokenizer,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("train_pocket")

IGNORED = -100


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
    merges: int
    """Byte-pair merges of the tokenizer."""
    tokens: int
    """Length of the training, in tokens of prompt and completion."""
    batch_tokens: int
    """Tokens of a batch, padding included."""
    pool_rows: int
    """Thoughts generated at a time and sorted by length."""
    short_tokens: int
    """Tokens at the start during which thoughts turn back at most once."""
    learning_rate: float
    """Step size of the matrices (Muon) in the middle of the training."""
    adam_learning_rate: float
    """Step size of embeddings and norms (AdamW)."""
    weight_decay: float
    """Weight decay of the matrices."""
    warmup_tokens: int
    """Tokens over which the step sizes rise from zero."""
    decay_share: float
    """Last share of the training, in which the step sizes fall to zero."""
    compile: bool
    """Compile the model: three times as fast on a CPU, but needs a C++ compiler."""
    checkpoint_seconds: int
    """Seconds between two checkpoints."""
    habits: Habits
    """What the thoughts do how often."""

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """The settings of a YAML file.

        Raises:
            InputError: if a key is missing or unknown.
        """
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        try:
            return cls(**{**raw, "habits": Habits(**raw.get("habits", {}))})
        except TypeError as error:
            raise InputError(f"{path}: {error}") from error


@dataclass(frozen=True)
class Row:
    """One training sequence."""

    ids: list[int]
    prompt: int
    """Length of the prompt, on which there is no loss."""


def training_texts(
    rng: random.Random, habits: Habits, rows: int
) -> list[tuple[str, str]]:
    """Prompts and completions of problems outside the test split."""
    texts: list[tuple[str, str]] = []
    while len(texts) < rows:
        problem = sample_problem(rng)
        if is_test_question(problem.question):
            continue
        thought = sample_thought(problem, rng, habits)
        completion = completion_text(thought.text, thought.answer)
        texts.append((problem.question, completion))
    return texts


def make_tokenizer(settings: Settings) -> Tokenizer:
    """The tokenizer, from a few thousand training texts."""
    texts = training_texts(random.Random(settings.seed), settings.habits, 4000)
    mark = ANSWER_PROMPT.strip("\n").split("\n")[0]
    plain = [piece for pair in texts for text in pair for piece in text.split(mark)]
    return train_tokenizer(plain, merges=settings.merges, min_count=40)


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


def pool_of_batches(
    settings: Settings, tokenizer: Tokenizer, pool: int, short: bool
) -> list[list[Row]]:
    """Batches of similar length, in random order; the same for the same pool number."""
    rng = random.Random(f"{settings.seed}/{pool}")
    turns = 1 if short else settings.habits.max_turns
    habits = dataclasses.replace(settings.habits, max_turns=turns)
    texts = training_texts(rng, habits, settings.pool_rows)
    core = tokenizer.backend_tokenizer
    prompts = core.encode_batch([prompt_text(q) for q, _ in texts], False)
    completions = core.encode_batch([c for _, c in texts], False)
    rows = [
        Row([*prompt.ids, *completion.ids, tokenizer.eos_token_id], len(prompt.ids))
        for prompt, completion in zip(prompts, completions, strict=True)
    ]
    rows.sort(key=lambda row: len(row.ids))
    batches: list[list[Row]] = [[]]
    for row in rows:
        if (len(batches[-1]) + 1) * len(row.ids) > settings.batch_tokens:
            batches.append([])
        batches[-1].append(row)
    rng.shuffle(batches)
    return batches


def collate(batch: list[Row], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and targets `[row, token]`, padded on the right.

    The target of a position is the next token, `IGNORED` in prompts and padding.
    Padding on the right needs no mask under causal attention.
    """
    longest = max(len(row.ids) for row in batch)
    ids = torch.full((len(batch), longest), pad)
    targets = torch.full((len(batch), longest), IGNORED)
    for index, row in enumerate(batch):
        length = len(row.ids)
        ids[index, :length] = torch.tensor(row.ids)
        targets[index, row.prompt - 1 : length - 1] = ids[index, row.prompt : length]
    return ids, targets


def completion_loss(
    body: torch.nn.Module,
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
    muon = Muon(
        matrices, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    adam = torch.optim.AdamW(
        others, lr=settings.adam_learning_rate, betas=(0.9, 0.98), fused=True, weight_decay=0.0
    )
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["peak_lr"] = group["lr"]
    return [muon, adam]


def rate(tokens: int, settings: Settings) -> float:
    """Share of the step size after so many tokens: rise, plateau, linear fall.

    The plateau does not depend on the length of the training, so that a training can
    be lengthened or shortened from a checkpoint.
    """
    rise = min(1.0, (tokens + 1) / settings.warmup_tokens)
    left = (settings.tokens - tokens) / (settings.decay_share * settings.tokens)
    return rise * max(0.0, min(1.0, left))


@dataclass
class Progress:
    """Where the training stands."""

    pool: int = 0
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
) -> None:
    """Write the whole state under a temporary name, then rename it."""
    state = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "progress": dataclasses.asdict(progress),
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def load_checkpoint(
    path: Path, model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer]
) -> Progress:
    """The state of a training that was cut off; the start where there is none."""
    if not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True)
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
        short = progress.tokens < settings.short_tokens
        batches = pool_of_batches(settings, tokenizer, progress.pool, short)
        while progress.batch < len(batches):
            progress.batch += 1
            yield batches[progress.batch - 1]
        progress.pool, progress.batch = progress.pool + 1, 0


def train(
    model: LlamaForCausalLM,
    tokenizer: Tokenizer,
    checkpoint_path: Path,
    settings: Settings,
) -> Progress:
    """Train to the end, from the checkpoint where there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    optimizers = make_optimizers(model, settings)
    progress = load_checkpoint(checkpoint_path, model, optimizers)
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
            save_checkpoint(checkpoint_path, model, optimizers, progress)
            saved = now
    save_checkpoint(checkpoint_path, model, optimizers, progress)
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
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "torch": torch.__version__,
        "losses": progress.losses,
    }
    training_path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    from doubletake.logs import log_to

    log_to(snakemake.log[0])
    main(
        settings_path=Path(snakemake.input.settings),
        model_path=Path(snakemake.output.model),
        training_path=Path(snakemake.output.training),
    )
