"""Which layers, and which of attention and MLP, write the word that turns back?

The logit lens (nostalgebraist 2020) reads the residual stream at every layer boundary,
with the norm's statistics computed there. Direct logit attribution (Elhage et al. 2021)
splits the final logit into the shares of the embedding and of every layer's attention
and MLP. All shares use the final norm's scale at the position, so that they add up to
the logit. The logit of a group of words is weighted by the model's probabilities at the
position, and centred: the mean logit of the vocabulary is subtracted
(`doubletake.model.logit_directions`). Random groups of tokens are read alike.

Everything is computed from the cache. Of the model, only the final norm and the
unembedding are read.

Inputs
    events: `events.tables.EVENTS`; its digest shows that the cache belongs to it.
    turns: `turns.tables.TURNS`, the positions.
    words: `turns.tables.TURN_WORDS`, the target tokens.
    index and cache: the activation cache.

Outputs
    lens: `logit_lens.tables.LOGIT_LENS`.
    random_groups: `logit_lens.tables.LOGIT_LENS_RANDOM`.
    vocabulary: `logit_lens.tables.VOCABULARY`, texts of the tokens in `lens`.
    verification: `doubletake.tables.verification.VERIFICATION`, the sum of the parts
        against the logits.
    runs: `doubletake.tables.runs.RUNS`, one row.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from doubletake.model.devices import choose_device
from doubletake.model.lens import Lens
from doubletake.model.logit_directions import logit_directions
from doubletake.model.run_rows import run_row_on
from doubletake.running.logs import Progress, job
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import ONE_SHARD
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from logit_lens.cached_states import RESID, CachedStates, batches_of_states
from logit_lens.random_groups import RandomGroups
from logit_lens.sum_check import STAGE, SumCheck, logits_of_groups
from logit_lens.tables import LOGIT_LENS, LOGIT_LENS_RANDOM, VOCABULARY
from turns.reading import BACKTRACK, GROUPS, target_ids, white_space_ids
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_logit_lens")

KEYS = ("trace", "problem", "event", "kind")
DIRECTIONS = (*GROUPS, "vocabulary", "backtrack_equal")
"""Columns of `LOGIT_LENS`, in the order of `directions_of`."""


@dataclass(frozen=True)
class Settings:
    """The `logit_lens` section of the config, and the budget of memory."""

    top: int
    """Number of most likely tokens that are kept at each layer."""
    random_groups: int
    """Number of random groups of tokens that are read like the backtrack words."""
    seed: int
    """Seed of the draw of these groups."""
    batch_memory: float
    """GiB of memory that one batch may take in addition to the lens."""


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
        values: [position, layer, direction].
        columns: values of further columns, [position * layer] each. All remaining
            columns are null.
    """
    positions, layers, _ = values.shape
    keys = part.select(KEYS)[np.repeat(np.arange(positions), layers)]
    flat = values.double().flatten(0, 1).cpu().numpy()
    table = keys.with_columns(
        component=pl.lit(component),
        layer=pl.Series(np.tile(np.arange(layers, dtype=np.int32), positions)),
        **{name: pl.Series(flat[:, k]) for k, name in enumerate(DIRECTIONS)},
        **columns,
    )
    return table.select(
        column.name
        if column.name in table.columns
        else pl.lit(None, column.dtype).alias(column.name)
        for column in LOGIT_LENS.columns
    )


def directions_of(
    lens: Lens, final_resid: torch.Tensor, groups: list[torch.Tensor]
) -> torch.Tensor:
    """Directions of `logit_directions`, and the backtrack words with equal weights.

    Args:
        lens: final norm and unembedding.
        final_resid: [position, d_model], residual stream after the last layer.
        groups: token ids of the `GROUPS`.

    Returns:
        [position, direction, d_model], in the order of `DIRECTIONS`.
    """
    weighted = logit_directions(lens, final_resid, groups)
    rows = lens.W_U[groups[GROUPS.index(BACKTRACK)].to(lens.W_U.device)].float()
    equal = (rows.mean(0) - lens.mean_row).expand(len(weighted), 1, -1)
    return torch.cat([weighted, equal], 1)


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
    groups, last = [targets[group] for group in GROUPS], states.resid[:, -1]
    readings = states.read(lens, directions_of(lens, last, groups))
    shares = [values for name, values in readings.items() if name != RESID]
    total = torch.cat(shares, 1).double().sum(1).float()
    sum_check.add(total[:, : len(groups) + 1], logits_of_groups(lens, last, groups))
    logprobs, ids = read_vocabulary(
        lens, states.resid, targets[BACKTRACK], left_out, top
    )
    resid_columns = {
        "backtrack_logprob": pl.Series(logprobs.double().flatten().numpy()),
        "top_ids": pl.Series(ids.int().flatten(0, 1).tolist(), dtype=pl.List(pl.Int32)),
    }
    return pl.concat(
        component_rows(part, name, values, **(resid_columns if name == RESID else {}))
        for name, values in readings.items()
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
    random_groups_path: Path,
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
    random_groups = RandomGroups(
        targets[BACKTRACK], len(lens.W_U), settings.random_groups, settings.seed
    )
    progress = Progress(turns.height, "positions")
    for part, states in batches_of_states(
        cache, turns, settings.random_groups, settings.batch_memory, lens
    ):
        tables.append(
            lens_table(lens, part, states, targets, left_out, settings.top, sum_check)
        )
        random_groups.add(lens, part["kind"], states)
        progress.update(part.height)
    progress.close()
    VERIFICATION.write(sum_check.rows(model.dtype), verification_path)
    traces = turns["trace"].n_unique()
    run = run_row_on(STAGE, ONE_SHARD, progress, device, model.dtype, traces)
    RUNS.write(run, runs_path)
    table = pl.concat(tables)
    LOGIT_LENS_RANDOM.write(random_groups.table(), random_groups_path)
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
            random_groups_path=Path(snakemake.output.random_groups),
            vocabulary_path=Path(snakemake.output.vocabulary),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**snakemake.params.settings),
        )
