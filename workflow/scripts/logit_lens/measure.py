"""Which layers, and which of attention and MLP, write the word that turns back?

The logit lens (nostalgebraist 2020) reads the residual stream at every layer boundary,
with the norm's statistics computed there. Direct logit attribution (Elhage et al. 2021)
splits the final logit into the shares of the embedding and of every layer's attention
and MLP. All shares use the final norm's scale at the position, so that they add up to
the logit.

Everything is computed from the cache. Of the model, only the final norm and the
unembedding are read. Target logits use only the target tokens' rows of the unembedding.

Inputs
    events: `events.tables.EVENTS`; its digest shows that the cache belongs to it.
    turns: `turns.tables.TURNS`, the positions.
    words: `turns.tables.TURN_WORDS`, the target tokens.
    index and cache: the activation cache.

Outputs
    lens: `logit_lens.tables.LOGIT_LENS`.
    vocabulary: `logit_lens.tables.VOCABULARY`, texts of the tokens in `lens`.
    verification: `doubletake.tables.verification.VERIFICATION`, the sum of the parts
        against the logits.
    runs: `doubletake.tables.runs.RUNS`, one row.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from doubletake.model.batch_memory import GIB
from doubletake.model.devices import choose_device
from doubletake.model.lens import Lens
from doubletake.model.run_rows import run_row_on
from doubletake.model.self_proof import PROOF_BOUND
from doubletake.running.logs import Progress, job
from doubletake.stats.verification import Largest
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import (
    VERIFICATION,
    VerificationRow,
    verification_of,
)
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from logit_lens.tables import LOGIT_LENS, VOCABULARY
from turns.reading import BACKTRACK, GROUPS, target_ids, white_space_ids
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_logit_lens")

STAGE = "logit_lens"
RESID, EMBED, ATTN_OUT, MLP_OUT = "resid", "embed", "attn_out", "mlp_out"
KEYS = ("trace", "problem", "event", "kind")


@dataclass(frozen=True)
class Settings:
    """The `logit_lens` section of the config, and the budget of memory."""

    top: int
    """Number of most likely tokens that are kept at each layer."""
    batch_memory: float
    """GiB of memory that one batch may take in addition to the lens."""


@dataclass(frozen=True)
class CachedStates:
    """Cached states of some positions, on the device of the lens, float32."""

    resid: torch.Tensor
    """[position, n_layers + 1, d_model]."""
    attn_out: torch.Tensor
    """[position, n_layers, d_model]."""
    mlp_out: torch.Tensor
    """[position, n_layers, d_model]."""


@dataclass
class SumCheck:
    """Whether the shares of all positions add up to the logits."""

    error: Largest = field(default_factory=Largest)
    """Largest |sum of shares - logit|, relative to the position's largest logit."""

    def add(self, total: torch.Tensor, logits: torch.Tensor) -> None:
        """Compare sums of shares with logits, both [position, token]."""
        size = logits.abs().amax(-1).clamp_min(1e-30)
        relative = (total - logits).abs().amax(-1) / size
        if len(relative):
            self.error.add(relative.max().item(), len(relative))

    def rows(self, dtype: str) -> pl.DataFrame:
        """`doubletake.tables.verification.VERIFICATION`."""
        figure = VerificationRow(
            check="embedding, attention and MLP shares added up, against the logits",
            statistic="max relative error",
            value=self.error.value,
            unit="1",
            n=self.error.n,
            bound=PROOF_BOUND[dtype],
            merge="max",
        )
        return verification_of(STAGE, [figure])


def batches_of_states(
    cache: ActivationCache, turns: pl.DataFrame, gib: float, device: torch.device
) -> Iterator[tuple[pl.DataFrame, CachedStates]]:
    """Positions and their states, as many at a time as the memory budget allows."""
    # Bytes of one position: its states as read from the cache, and their float32 copy.
    size = 2 * (3 * cache.n_layers + 1) * cache.d_model * 4
    for part in turns.iter_slices(max(1, int(gib * GIB / size))):
        tensors = [
            cache.read(name, part).to(device).float()
            for name in (RESID, ATTN_OUT, MLP_OUT)
        ]
        yield part, CachedStates(*tensors)


def group_means(values: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """Means over the tokens of each group: [..., token] to [..., group]."""
    # ASSUME: all single-token variants of a group's words weigh the same.
    return torch.stack([part.mean(-1) for part in values.split(sizes, -1)], -1)


@torch.inference_mode()
def read_vocabulary(
    lens: Lens,
    resid: torch.Tensor,
    targets: torch.Tensor,
    left_out: torch.Tensor,
    top: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Target log-probs and most likely tokens of the lens, over the whole vocabulary.

    Args:
        lens: final norm and unembedding.
        resid: [position, boundary, d_model].
        targets: [token], ids of the backtrack group.
        left_out: [token], ids that do not count as most likely tokens.
        top: number of most likely tokens to return.

    Returns:
        Log-prob that the token is any target token, [position, boundary], and ids of
        the most likely tokens, [position, boundary, top]; on the CPU.
    """
    shape = resid.shape[:2]
    kept = min(top, len(lens.W_U) - len(left_out))
    target_logprobs = [torch.zeros(0)]
    top_ids = [torch.zeros(0, kept, dtype=torch.long)]
    for logits in lens.chunks(resid.flatten(0, 1)):
        of_targets = logits[:, targets.to(logits.device)].logsumexp(-1)
        target_logprobs.append((of_targets - logits.logsumexp(-1)).cpu())
        logits.index_fill_(1, left_out.to(logits.device), -torch.inf)
        top_ids.append(logits.topk(kept, -1).indices.cpu())
    logprobs, ids = torch.cat(target_logprobs), torch.cat(top_ids)
    return logprobs.unflatten(0, shape), ids.unflatten(0, shape)


def component_rows(
    part: pl.DataFrame, component: str, values: torch.Tensor, **columns: Any
) -> pl.DataFrame:
    """Rows of `logit_lens.tables.LOGIT_LENS` for one component.

    Args:
        part: the positions, `turns.tables.TURNS`.
        component: its name.
        values: [position, layer, group].
        columns: values of further columns, [position * layer] each. All remaining
            columns are null.
    """
    positions, layers, _ = values.shape
    keys = part.select(KEYS)[np.repeat(np.arange(positions), layers)]
    flat = values.double().flatten(0, 1).cpu().numpy()
    table = keys.with_columns(
        component=pl.lit(component),
        layer=pl.Series(np.tile(np.arange(layers, dtype=np.int32), positions)),
        **{group: pl.Series(flat[:, k]) for k, group in enumerate(GROUPS)},
        **columns,
    )
    return table.select(
        column.name
        if column.name in table.columns
        else pl.lit(None, column.dtype).alias(column.name)
        for column in LOGIT_LENS.columns
    )


@torch.inference_mode()
def lens_table(
    lens: Lens,
    part: pl.DataFrame,
    states: CachedStates,
    targets: dict[str, torch.Tensor],
    left_out: torch.Tensor,
    top: int,
    sum_check: SumCheck,
) -> pl.DataFrame:
    """`logit_lens.tables.LOGIT_LENS` of some positions."""
    tokens = torch.cat([targets[group] for group in GROUPS])
    sizes = [len(targets[group]) for group in GROUPS]
    # ASSUME: a part's share is read with the final norm's scale held fixed.
    scale = lens.scale(states.resid[:, -1])[:, None]
    shares = {
        EMBED: lens.shares(states.resid[:, :1], scale, tokens),
        ATTN_OUT: lens.shares(states.attn_out, scale, tokens),
        MLP_OUT: lens.shares(states.mlp_out, scale, tokens),
    }
    total = torch.cat(list(shares.values()), 1).double().sum(1).float()
    sum_check.add(total, lens.uncapped(lens.normed(states.resid[:, -1]), tokens))
    # ASSUME: the final norm and the unembedding can read the stream at any boundary.
    logits = lens.logits(lens.normed(states.resid), tokens)
    logprobs, ids = read_vocabulary(
        lens, states.resid, targets[BACKTRACK], left_out, top
    )
    resid_columns = {
        "backtrack_logprob": pl.Series(logprobs.double().flatten().numpy()),
        "top_ids": pl.Series(ids.int().flatten(0, 1).tolist(), dtype=pl.List(pl.Int32)),
    }
    return pl.concat(
        [component_rows(part, RESID, group_means(logits, sizes), **resid_columns)]
        + [
            component_rows(part, name, group_means(x, sizes))
            for name, x in shares.items()
        ]
    )


def vocabulary_of(lens: pl.DataFrame, tokenizer: TraceTokenizer) -> pl.DataFrame:
    """Texts of the most likely tokens in ascending order of ids: `VOCABULARY`."""
    ids = lens["top_ids"].explode().drop_nulls().unique().sort().to_list()
    rows = [{"token_id": k, "text": tokenizer.text_of(k)} for k in ids]
    return VOCABULARY.frame(rows)


def main(
    *,
    events_path: Path,
    turns_path: Path,
    words_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    lens_path: Path,
    vocabulary_path: Path,
    verification_path: Path,
    runs_path: Path,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the cache, apply the lens at the selected positions, write the tables."""
    turns = TURNS.read(turns_path).filter("selected")
    targets = target_ids(TURN_WORDS.read(words_path))
    cache = ActivationCache(index_path, cache_paths, Origin.of(model, events_path))
    device = choose_device(model.device)
    lens = Lens.load(model, device)
    tokenizer = load_tokenizer(model)
    left_out = white_space_ids(tokenizer)
    sum_check, tables = SumCheck(), [LOGIT_LENS.frame([])]
    progress = Progress(turns.height, "positions")
    for part, states in batches_of_states(cache, turns, settings.batch_memory, device):
        tables.append(
            lens_table(lens, part, states, targets, left_out, settings.top, sum_check)
        )
        progress.update(part.height)
    progress.close()
    VERIFICATION.write(sum_check.rows(model.dtype), verification_path)
    traces = turns["trace"].n_unique()
    run = run_row_on(STAGE, ONE_SHARD, progress, device, model.dtype, traces)
    RUNS.write(run, runs_path)
    table = pl.concat(tables)
    VOCABULARY.write(vocabulary_of(table, tokenizer), vocabulary_path)
    LOGIT_LENS.write(table, lens_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            events_path=Path(snakemake.input.events),
            turns_path=Path(snakemake.input.turns),
            words_path=Path(snakemake.input.words),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.cache],
            lens_path=Path(snakemake.output.lens),
            vocabulary_path=Path(snakemake.output.vocabulary),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**snakemake.params.settings),
        )
