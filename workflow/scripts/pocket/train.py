"""Can a model of a million parameters derive an answer, doubt it and correct itself?

The pocket model is trained from random weights on generated problems and thoughts
(`pocket.problems`, `pocket.thoughts`). The loss is on thought and answer alone.

Inputs
    settings: `config/pocket-training.yaml`, all settings of the training.

Outputs
    model: folder with weights (safetensors), config, tokenizer and chat template.
    training: tokens, seconds, parameters and the loss curve of the training.

While it runs, `checkpoint.pt` beside the model holds the state from which a stopped
training continues. The file is removed when the model is written.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM
from transformers import PreTrainedTokenizerFast as Tokenizer

from doubletake.model.devices import choose_device
from doubletake.running.logs import job
from doubletake.stats.draws import generator
from pocket.checkpoints import Progress, load_checkpoint, save_checkpoint
from pocket.muon import Muon
from pocket.tokenizer import END_OF_THOUGHT, train_tokenizer
from pocket.training_batches import (
    IGNORED,
    Row,
    collate,
    drill_rows,
    in_batches,
    thought_rows,
    training_texts,
)
from pocket.training_settings import Settings

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("train_pocket")

MIN_COUNT = 40
"""Number of times that a word must occur in the texts to become a single token."""


def make_tokenizer(settings: Settings) -> Tokenizer:
    """A tokenizer from a few thousand training texts."""
    texts = training_texts(random.Random(settings.seed), settings.tokenizer_rows)
    plain = [p for pair in texts for text in pair for p in text.split(END_OF_THOUGHT)]
    return train_tokenizer(plain, merges=settings.merges, min_count=MIN_COUNT)


def make_model(settings: Settings, tokenizer: Tokenizer) -> LlamaForCausalLM:
    """A model with random weights."""
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


def weighted_loss(
    body: Callable[..., Any],
    head: torch.nn.Module,
    ids: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
) -> torch.Tensor:
    """Sum of the weighted cross-entropies of the tokens that have a loss, in nats."""
    resid = body(input_ids=ids, use_cache=False).last_hidden_state
    has_target = targets != IGNORED
    logits = head(resid[has_target]).float()
    losses = torch.nn.functional.cross_entropy(
        logits, targets[has_target], reduction="none"
    )
    return losses @ weights[has_target]


def make_optimizers(
    model: LlamaForCausalLM, settings: Settings
) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for all other parameters."""
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    matrix_ids = {id(p) for p in matrices}
    other_parameters = [p for p in model.parameters() if id(p) not in matrix_ids]
    muon = Muon(matrices, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    adam = torch.optim.AdamW(
        other_parameters,
        lr=settings.adam_learning_rate,
        betas=(0.9, 0.98),
        fused=True,
        weight_decay=0.0,
    )
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["peak_lr"] = group["lr"]
    return [muon, adam]


def step_size_share(tokens: int, settings: Settings) -> float:
    """Share of the full step size after some tokens: linear between the corners."""
    corners, shares = zip(*settings.schedule, strict=True)
    return float(np.interp(tokens, corners, shares))


def batches_from(
    settings: Settings, tokenizer: Tokenizer, progress: Progress
) -> Iterator[list[Row]]:
    """The next batches; `progress` counts each batch when it is handed out."""
    while True:
        batches = pool_of(settings, tokenizer, progress)
        while progress.batch < len(batches):
            progress.batch += 1
            yield batches[progress.batch - 1]
        progress.pool, progress.batch = progress.pool + 1, 0
        progress.tokens_before_pool = progress.tokens


def pool_of(
    settings: Settings, tokenizer: Tokenizer, progress: Progress
) -> list[list[Row]]:
    """The batches of a pool; the whole pool belongs to the stage in which it begins."""
    rng = generator(settings.seed, progress.pool)
    stage = [s for s in settings.stages if s.tokens <= progress.tokens_before_pool][-1]
    drills = round(stage.drills * settings.pool_rows)
    rows = [
        *drill_rows(tokenizer, rng=rng, weight=settings.drill_weight, rows=drills),
        *thought_rows(
            tokenizer,
            rng=rng,
            forced=settings.forced_answers,
            rows=settings.pool_rows - drills,
        ),
    ]
    return in_batches(rows, rng, settings.batch_tokens)


def train(
    model: LlamaForCausalLM,
    tokenizer: Tokenizer,
    checkpoint_path: Path,
    settings: Settings,
) -> Progress:
    """Train to the end; start from the checkpoint if there is one."""
    device = choose_device("auto")
    model.to(device).train()
    optimizers = make_optimizers(model, settings)
    progress = load_checkpoint(checkpoint_path, model, optimizers, settings)
    body = torch.compile(model.model, dynamic=True) if settings.compile else model.model
    started, seconds_before = time.monotonic(), progress.seconds
    saved, recent = started, torch.zeros(2)
    for batch in batches_from(settings, tokenizer, progress):
        ids, targets, weights = (
            part.to(device) for part in collate(batch, tokenizer.pad_token_id)
        )
        loss = weighted_loss(body, model.lm_head, ids, targets, weights)
        for optimizer in optimizers:
            optimizer.zero_grad()
        # A batch counts by its tokens, so that few answers do not count like a text.
        tokens = sum(len(row.ids) for row in batch)
        (loss / tokens).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * step_size_share(
                    progress.tokens, settings
                )
            optimizer.step()
        progress.tokens += tokens
        progress.steps += 1
        recent += torch.stack([loss.detach(), weights.sum()]).cpu()
        now = time.monotonic()
        progress.seconds = seconds_before + now - started
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
    """Write weights, config and tokenizer into a folder."""
    model.to("cpu").save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main(*, settings_path: Path, model_path: Path, training_path: Path) -> None:
    """Make the tokenizer, train the model, write both and a record of the training."""
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
