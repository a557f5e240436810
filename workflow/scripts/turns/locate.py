"""At which positions does the model decide to turn back, and does it intend to?

A turn is the start of a sentence that turns back, wraps up or goes on (a control). For
each turn this script finds the position that predicts the sentence's first token. From
the cached final residual it computes the most likely token at that position that is
not white space. The published filter keeps a backtrack only if this token is a
backtrack word. (White space is left out because a model may choose a line break and the
word after it in two steps.)

Inputs
    traces: `traces.tables.TRACES`.
    events: `events.tables.EVENTS`.
    matches: `matches.tables.MATCHES`, the partners of backtracks.
    cache and index: the activation cache.
    the model's final norm and unembedding.

Outputs
    turns: `turns.tables.TURNS`.
    words: `turns.tables.TURN_WORDS`.
    verification: log-probs from the cache against those of the generation, and the
        share of first backtracks that pass the filter
        (`doubletake.tables.verification.VERIFICATION`).
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
from matches.reading import KEYS, control_pairs
from matches.tables import MATCHES
from traces.tables import TRACES
from turns.reading import (
    BACKTRACK,
    CONTROL,
    KINDS,
    WRAP_UP,
    target_ids,
    turn_words,
    white_space_ids,
)
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("locate_turns")

STAGE = "turns"
# ASSUME: rounding in float32 stays under 1e-3 nats; 16-bit models have no bound.
BOUND = {"float32": 1e-3, "bfloat16": None, "float16": None}  # nats
ROWS = 4096  # residual states that are read at once


@dataclass(frozen=True)
class Settings:
    """The `turns` section of the config."""

    backtracks: str
    """Which backtracks of a trace the experiments use: `first` or `every`."""
    predicted_only: bool
    """Keep only backtracks at which a backtrack word is the most likely token, white
    space left out."""
    words: dict[str, list[str]]
    """Words by group."""


def sentence_starts(
    traces: pl.DataFrame, events: pl.DataFrame, index: pl.DataFrame
) -> pl.DataFrame:
    """Sentences whose predicting position is in the cache, with their first token.

    Args:
        traces: `traces.tables.TRACES`.
        events: `events.tables.EVENTS`.
        index: `activations.tables.ACTIVATION_INDEX`. It lacks the refused traces and
            the controls without a partner.

    Returns:
        Columns trace, problem, event, kind, ordinal, position, next_id and
        sampled_logprob (log-prob of `next_id` at generation; null for imported
        thoughts).
    """
    in_completion = pl.col("token") - pl.col("prompt_ids").list.len()
    return (
        events.filter(pl.col("kind").is_in(KINDS))
        .join(index.select("trace", "event"), on=["trace", "event"])
        .join(traces, on="trace")
        .with_columns(in_completion=in_completion.cast(pl.Int32))
        .select(
            *("trace", "problem", "event", "kind", "ordinal"),
            position=pl.col("token") - 1,
            next_id=pl.col("completion_ids").list.get(pl.col("in_completion")),
            sampled_logprob=pl.col("logprobs").list.get(
                pl.col("in_completion"), null_on_oob=True
            ),
        )
        .sort("trace", "event")
    )


@torch.inference_mode()
def predictions(
    cache: ActivationCache,
    lens: Lens,
    sentences: pl.DataFrame,
    left_out: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Most likely next token at each position, and log-prob of the token that follows.

    Args:
        cache: holds the final residual at the positions.
        lens: final norm and unembedding.
        sentences: from `sentence_starts`.
        left_out: [token], ids that do not count as most likely tokens.

    Returns:
        [sentence] token ids and [sentence] nats, on the CPU.
    """
    ids, logprobs = [torch.zeros(0, dtype=torch.long)], [torch.zeros(0)]
    for part in sentences.iter_slices(ROWS):
        resid = cache.read("resid", part, layer=cache.n_layers)
        next_ids = part["next_id"].to_torch().long().split(UNEMBED_ROWS)
        for logits, tokens in zip(lens.chunks(resid), next_ids, strict=True):
            chosen = logits.gather(1, tokens.to(logits.device)[:, None])[:, 0]
            logprobs.append((chosen - logits.logsumexp(-1)).cpu())
            logits.index_fill_(1, left_out.to(logits.device), -torch.inf)
            ids.append(logits.argmax(-1).cpu())
    return torch.cat(ids), torch.cat(logprobs)


def turns_table(
    sentences: pl.DataFrame,
    predicted_ids: torch.Tensor,
    logprobs: torch.Tensor,
    words: pl.DataFrame,
    matches: pl.DataFrame,
    tokenizer: TraceTokenizer,
    settings: Settings,
) -> pl.DataFrame:
    """`turns.tables.TURNS` of all sentences."""
    backtrack_ids = target_ids(words)[BACKTRACK].tolist()
    texts = {
        token_id: tokenizer.text_of(token_id)
        for token_id in set(predicted_ids.tolist())
    }
    table = sentences.with_columns(
        logprob=pl.Series(logprobs.double().numpy()),
        predicted_id=pl.Series(predicted_ids.int().numpy()),
    ).with_columns(
        predicted_text=pl.Series(
            [texts[token_id] for token_id in predicted_ids.tolist()], dtype=pl.String
        ),
        is_word=pl.col("predicted_id").is_in(backtrack_ids),
    )
    table = with_selected(table, matches, settings)
    return TURNS.check(table.select(list(TURNS.schema)))


def with_selected(
    table: pl.DataFrame, matches: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """The table with the column `selected` of `turns.tables.TURNS`."""
    # ASSUME: with `first`, the first backtrack of a trace stands for all of them.
    in_order = (pl.col("ordinal") == 1) | pl.lit(settings.backtracks == "every")
    # ASSUME: the model intends to turn back where a backtrack word is most likely.
    intended = pl.col("is_word") | pl.lit(not settings.predicted_only)
    is_backtrack = (pl.col("kind") == BACKTRACK) & in_order & intended
    # ASSUME: backtracks without a partner stay; comparisons leave them out.
    either = table.filter(is_backtrack | (pl.col("kind") == CONTROL))
    partners = control_pairs(matches, either).filter(~pl.col("label"))
    marked = table.join(
        partners.select(*KEYS, is_partner=pl.lit(True)),
        on=KEYS,
        how="left",
        maintain_order="left",
    )
    # ASSUME: the filter needs no counterpart at wrap-ups; all of them are selected.
    selected = is_backtrack | (pl.col("kind") == WRAP_UP) | pl.col("is_partner")
    return marked.with_columns(selected=selected.fill_null(False)).drop("is_partner")


def checks_of(
    turns: pl.DataFrame, sampled_logprobs: pl.Series, dtype: str
) -> pl.DataFrame:
    """Agreement of cached and sampled log-probs, and the share that passes the filter.

    Args:
        turns: `turns.tables.TURNS`.
        sampled_logprobs: log-prob of each row's `next_id` at generation; null for
            imported thoughts.
        dtype: of the model.
    """
    sampled = sampled_logprobs.cast(pl.Float64)
    differences = (turns["logprob"] - sampled).abs().drop_nulls()
    first = turns.filter(kind=BACKTRACK, ordinal=1)
    largest: Any = differences.nan_max() if len(differences) else None
    share: Any = first["is_word"].mean()
    replay = VerificationRow(
        check="log-prob of the next token, cache against generation",
        statistic="max |difference|",
        value=largest,
        unit="nats",
        n=len(differences),
        bound=BOUND[dtype],
        merge="max",
    )
    filtered = VerificationRow(
        check="first backtracks whose most likely token is a backtrack word",
        statistic="share",
        value=share,
        unit="share",
        n=first.height,
        merge="mean",
    )
    return verification_of(STAGE, [replay, filtered])


def main(
    *,
    traces_path: Path,
    events_path: Path,
    matches_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    turns_path: Path,
    words_path: Path,
    verification_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables and the cache, locate the turns, write them."""
    traces, events = TRACES.read(traces_path), EVENTS.read(events_path)
    cache = ActivationCache(index_path, cache_paths, Origin.of(model, events_path))
    tokenizer = load_tokenizer(model)
    words = turn_words(tokenizer, settings.words)
    lens = Lens.load(model, choose_device(model.device))
    sentences = sentence_starts(traces, events, cache.index)
    predicted_ids, logprobs = predictions(
        cache, lens, sentences, white_space_ids(tokenizer)
    )
    matches = MATCHES.read(matches_path)
    turns = turns_table(
        sentences, predicted_ids, logprobs, words, matches, tokenizer, settings
    )
    backtracks = turns.filter(kind=BACKTRACK)
    logger.info(
        "%d backtracks, %d with a backtrack word as most likely token, %d selected",
        backtracks.height,
        backtracks["is_word"].sum(),
        backtracks["selected"].sum(),
    )
    VERIFICATION.write(
        checks_of(turns, sentences["sampled_logprob"], model.dtype), verification_path
    )
    TURN_WORDS.write(words, words_path)
    TURNS.write(turns, turns_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            matches_path=Path(snakemake.input.matches),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.cache],
            turns_path=Path(snakemake.output.turns),
            words_path=Path(snakemake.output.words),
            verification_path=Path(snakemake.output.verification),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**snakemake.params.settings),
        )
