"""Where does the model decide to turn back, and does it mean to?

For the sentences that turn back, wrap up or go on: the position that predicts the first
token, and from the cached final residual the token that the model holds most likely
there. The published filter keeps a backtrack only if that token is a backtrack word.

Inputs
    traces: `schemas.TRACES`.
    events: `schemas.EVENTS`.
    cache and index: the activation cache.
    the model's final norm and unembedding.

Outputs
    turns: `schemas.turns.TURNS`.
    words: `schemas.turns.TURN_WORDS`.
    verification: `schemas.VERIFICATION`, log-probs from the cache against generated
        ones, and the share that passes the filter.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from doubletake.model.devices import choose_device
from doubletake.model.lens import UNEMBED_ROWS, Lens
from doubletake.running.logs import job
from doubletake.study.settings import ModelSettings
from doubletake.tables.verification import (
    VERIFICATION,
    VerificationRow,
    verification_of,
)
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from events.tables import EVENTS
from traces.tables import TRACES
from turns.reading import BACKTRACK, CONTROL, KINDS, WRAP_UP, target_ids, turn_words
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("locate_turns")

STAGE = "turns"
BOUND = {"float32": 1e-3, "bfloat16": None, "float16": None}  # nats
ROWS = 4096  # residual states read at once


@dataclass(frozen=True)
class Settings:
    """The `turns` section of the config."""

    backtracks: str
    """Which backtracks of a trace are looked into: `first` or `every`."""
    predicted_only: bool
    """Keep only backtracks at which a backtrack word is the most likely token."""
    words: dict[str, list[str]]
    """Words by group."""


def sentences_of(
    traces: pl.DataFrame, events: pl.DataFrame, index: pl.DataFrame
) -> pl.DataFrame:
    """Sentences with a cached predicting position, and their first token.

    Args:
        traces: `schemas.TRACES`.
        events: `schemas.EVENTS`.
        index: `schemas.ACTIVATION_INDEX`; refused traces are not in it.

    Returns:
        Columns trace, problem, event, kind, ordinal, position, next, generated (the
        log-prob of `next` as sampled, null for imported thoughts).
    """
    place = pl.col("token") - pl.col("prompt_ids").list.len()
    return (
        events.filter(pl.col("kind").is_in(KINDS))
        .join(index.select("trace", "event"), on=["trace", "event"])
        .join(traces, on="trace")
        .with_columns(place=place.cast(pl.Int32))
        .select(
            *("trace", "problem", "event", "kind", "ordinal"),
            position=pl.col("token") - 1,
            next=pl.col("completion_ids").list.get(pl.col("place")),
            generated=pl.col("logprobs").list.get(pl.col("place"), null_on_oob=True),
        )
        .sort("trace", "event")
    )


@torch.inference_mode()
def predictions(
    cache: ActivationCache, lens: Lens, sentences: pl.DataFrame
) -> tuple[torch.Tensor, torch.Tensor]:
    """Most likely next token at each position, and log-prob of the one that stands.

    Returns:
        [sentence] ids and [sentence] nats, on the CPU.
    """
    ids, logprobs = [torch.zeros(0, dtype=torch.long)], [torch.zeros(0)]
    for part in sentences.iter_slices(ROWS):
        resid = cache.read("resid", part, layer=cache.n_layers)
        wanted = part["next"].to_torch().long().split(UNEMBED_ROWS)
        for logits, tokens in zip(lens.chunks(resid), wanted, strict=True):
            ids.append(logits.argmax(-1).cpu())
            chosen = logits.gather(1, tokens.to(logits.device)[:, None])[:, 0]
            logprobs.append((chosen - logits.logsumexp(-1)).cpu())
    return torch.cat(ids), torch.cat(logprobs)


def turns_of(
    sentences: pl.DataFrame,
    predicted: torch.Tensor,
    logprobs: torch.Tensor,
    words: pl.DataFrame,
    tokenizer: TraceTokenizer,
    settings: Settings,
) -> pl.DataFrame:
    """`schemas.turns.TURNS` of all sentences."""
    backtrack_words = target_ids(words)[BACKTRACK].tolist()
    texts = {token: tokenizer.text_of(token) for token in set(predicted.tolist())}
    asked = (pl.col("ordinal") == 1) | pl.lit(settings.backtracks == "every")
    kept = pl.col("is_word") | pl.lit(not settings.predicted_only)
    table = sentences.with_columns(
        logprob=pl.Series(logprobs.double().numpy()),
        predicted=pl.Series(predicted.int().numpy()),
    ).with_columns(
        predicted_text=pl.Series(
            [texts[k] for k in predicted.tolist()], dtype=pl.String
        ),
        is_word=pl.col("predicted").is_in(backtrack_words),
    )
    is_asked = (pl.col("kind") == BACKTRACK) & asked & kept
    table = table.with_columns(selected=is_asked | (pl.col("kind") == WRAP_UP))
    matched = {
        key
        for rows in table.partition_by("trace", maintain_order=True)
        for key in nearest_controls(rows)
    }
    keys = zip(table["trace"], table["event"], strict=True)
    is_matched = pl.Series([key in matched for key in keys], dtype=pl.Boolean)
    table = table.with_columns(selected=pl.col("selected") | is_matched)
    return TURNS.check(table.select(list(TURNS.schema)))


def nearest_controls(turns: pl.DataFrame) -> list[tuple[str, int]]:
    """For each selected backtrack of a trace the nearest control that is left.

    The detector matches controls to all backtracks; where only some of those are looked
    into, the others' controls would stand at another depth.

    Args:
        turns: rows of one trace with trace, event, kind, position and selected.

    Returns:
        Trace and event of each.
    """
    turning = turns.filter("selected", kind=BACKTRACK)["position"].sort().to_list()
    free = turns.filter(kind=CONTROL).select("position", "trace", "event").rows()
    found = []
    for place in turning[: len(free)]:
        nearest = min(free, key=lambda row: (abs(row[0] - place), row[0]))
        free.remove(nearest)
        found.append((nearest[1], nearest[2]))
    return found


def checks_of(turns: pl.DataFrame, generated: pl.Series, dtype: str) -> pl.DataFrame:
    """How the cache's log-probs agree with the generated ones, and the filter's share.

    Args:
        turns: `schemas.turns.TURNS`.
        generated: log-prob of each row's `next` as sampled; null where imported.
        dtype: of the model.
    """
    differences = (turns["logprob"] - generated.cast(pl.Float64)).abs().drop_nulls()
    first = turns.filter(kind=BACKTRACK, ordinal=1)
    largest: Any = differences.nan_max() if len(differences) else None
    share: Any = first["is_word"].mean()
    replay = VerificationRow(
        check="log-prob of the next token, from the cache against as generated",
        statistic="max |difference|",
        value=largest,
        unit="nats",
        n=len(differences),
        bound=BOUND[dtype],
        merge="max",
    )
    words = VerificationRow(
        check="first backtracks whose most likely token is a backtrack word",
        statistic="share",
        value=share,
        unit="share",
        n=first.height,
        merge="mean",
    )
    return verification_of(STAGE, [replay, words])


def main(
    *,
    traces_path: Path,
    events_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    turns_path: Path,
    words_path: Path,
    verification_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables and the cache, find the positions, write them."""
    traces, events = TRACES.read(traces_path), EVENTS.read(events_path)
    cache = ActivationCache(index_path, cache_paths, Origin.of(model, events_path))
    tokenizer = load_tokenizer(model)
    words = turn_words(tokenizer, settings.words)
    lens = Lens.load(model, choose_device(model.device))
    sentences = sentences_of(traces, events, cache.index)
    predicted, logprobs = predictions(cache, lens, sentences)
    turns = turns_of(sentences, predicted, logprobs, words, tokenizer, settings)
    back = turns.filter(kind=BACKTRACK)
    logger.info(
        "%d backtracks, %d at a backtrack word, %d looked into",
        back.height,
        back["is_word"].sum(),
        back["selected"].sum(),
    )
    VERIFICATION.write(
        checks_of(turns, sentences["generated"], model.dtype), verification_path
    )
    TURN_WORDS.write(words, words_path)
    TURNS.write(turns, turns_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.cache],
            turns_path=Path(snakemake.output.turns),
            words_path=Path(snakemake.output.words),
            verification_path=Path(snakemake.output.verification),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**snakemake.params.settings),
        )
