"""What in the network says "Wait": which layers, and attention or MLP?

Logit lens (nostalgebraist 2020) on the residual stream at every layer boundary, the
norm's statistics computed there; direct logit attribution (Elhage et al. 2021) of the
embedding and of every layer's attention and MLP, with the final norm's scale of the
position for all of them, so that they add up to the logit. All from the cache; of the
model only the final norm and the unembedding are read, and for target logits only the
rows of the target tokens.

Inputs
    events: `schemas.EVENTS`, for the digest that the cache was made from.
    turns: `schemas.turns.TURNS`, which positions.
    words: `schemas.turns.TURN_WORDS`, the target tokens.
    index and cache: the activation cache.

Outputs
    lens: `schemas.logit_lens.LOGIT_LENS`.
    vocabulary: `logit_lens.tables.VOCABULARY`, texts of the tokens in `lens`.
    verification: `schemas.VERIFICATION`, the parts' sum against the logits.
    runs: `schemas.RUNS`, one row.
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
from doubletake.model.self_proof import PROOF_BOUND
from doubletake.running.logs import Progress, job
from doubletake.running.run_rows import run_row_on
from doubletake.stats.verification import Largest
from doubletake.study.settings import ModelSettings
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import (
    VERIFICATION,
    VerificationRow,
    verification_of,
)
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer
from logit_lens.tables import LOGIT_LENS, VOCABULARY
from turns.reading import BACKTRACK, GROUPS, target_ids
from turns.tables import TURN_WORDS, TURNS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("logit_lens")

STAGE = "logit_lens"
RESID, EMBED, ATTN_OUT, MLP_OUT = "resid", "embed", "attn_out", "mlp_out"
KEYS = ("trace", "problem", "event", "kind")


@dataclass(frozen=True)
class Settings:
    """The `logit_lens` section of the config, and the budget of memory."""

    top: int
    """Most likely tokens kept at each layer."""
    batch_memory: float
    """Memory that one batch may take beyond the lens, GiB."""


@dataclass(frozen=True)
class Slice:
    """Some positions' cached states on the lens' device, float32."""

    resid: torch.Tensor
    """[position, n_layers + 1, d_model]."""
    attn_out: torch.Tensor
    """[position, n_layers, d_model]."""
    mlp_out: torch.Tensor
    """[position, n_layers, d_model]."""


@dataclass
class Checks:
    """How the shares of all positions add up."""

    error: Largest = field(default_factory=Largest)
    """Largest |sum of shares - logit|, relative to the position's largest logit."""

    def add(self, total: torch.Tensor, logits: torch.Tensor) -> None:
        """Compare sums of shares with logits, both [position, token]."""
        size = logits.abs().amax(-1).clamp_min(1e-30)
        relative = (total - logits).abs().amax(-1) / size
        if len(relative):
            self.error.add(relative.max().item(), len(relative))

    def rows(self, dtype: str) -> pl.DataFrame:
        """`schemas.VERIFICATION`."""
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


def slices_of(
    cache: ActivationCache, turns: pl.DataFrame, gib: float, device: torch.device
) -> Iterator[tuple[pl.DataFrame, Slice]]:
    """The positions' states, as many at a time as the budget of memory allows."""
    states = 2 * (3 * cache.n_layers + 1) * cache.d_model * 4  # read, and in float32
    for part in turns.iter_slices(max(1, int(gib * GIB / states))):
        tensors = [
            cache.read(name, part).to(device).float()
            for name in (RESID, ATTN_OUT, MLP_OUT)
        ]
        yield part, Slice(*tensors)


def group_means(values: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """Means over the tokens of each group: [..., token] to [..., group]."""
    return torch.stack([part.mean(-1) for part in values.split(sizes, -1)], -1)


@torch.inference_mode()
def read_layers(
    lens: Lens, resid: torch.Tensor, targets: torch.Tensor, top: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The whole distribution at each layer, in chunks.

    Args:
        lens: final norm and unembedding.
        resid: [position, boundary, d_model].
        targets: [token], ids of the backtrack group.
        top: how many of the most likely tokens.

    Returns:
        Log-prob of any target token, [position, boundary], and the most likely tokens,
        [position, boundary, top]; on the CPU.
    """
    shape = resid.shape[:2]
    found, ids = [torch.zeros(0)], [torch.zeros(0, top, dtype=torch.long)]
    for logits in lens.chunks(resid.flatten(0, 1)):
        logprobs = logits[:, targets.to(logits.device)].logsumexp(-1)
        found.append((logprobs - logits.logsumexp(-1)).cpu())
        ids.append(logits.topk(min(top, logits.shape[-1]), -1).indices.cpu())
    return torch.cat(found).unflatten(0, shape), torch.cat(ids).unflatten(0, shape)


def rows_of(
    part: pl.DataFrame, component: str, values: torch.Tensor, **more: Any
) -> pl.DataFrame:
    """Rows of `schemas.logit_lens.LOGIT_LENS` of one component.

    Args:
        part: the positions, `schemas.turns.TURNS`.
        component: its name.
        values: [position, layer, group].
        more: values of the other columns, [position * layer] each.
    """
    positions, layers, _ = values.shape
    keys = part.select(KEYS)[np.repeat(np.arange(positions), layers)]
    flat = values.double().flatten(0, 1).cpu().numpy()
    table = keys.with_columns(
        component=pl.lit(component),
        layer=pl.Series(np.tile(np.arange(layers, dtype=np.int32), positions)),
        **{group: pl.Series(flat[:, k]) for k, group in enumerate(GROUPS)},
        **more,
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
    states: Slice,
    targets: dict[str, torch.Tensor],
    top: int,
    checks: Checks,
) -> pl.DataFrame:
    """`schemas.logit_lens.LOGIT_LENS` of some positions."""
    tokens = torch.cat([targets[group] for group in GROUPS])
    sizes = [len(targets[group]) for group in GROUPS]
    scale = lens.scale(states.resid[:, -1])[:, None]
    shares = {
        EMBED: lens.shares(states.resid[:, :1], scale, tokens),
        ATTN_OUT: lens.shares(states.attn_out, scale, tokens),
        MLP_OUT: lens.shares(states.mlp_out, scale, tokens),
    }
    total = torch.cat(list(shares.values()), 1).double().sum(1).float()
    checks.add(total, lens.uncapped(lens.normed(states.resid[:, -1]), tokens))
    logits = lens.logits(lens.normed(states.resid), tokens)
    logprobs, ids = read_layers(lens, states.resid, targets[BACKTRACK], top)
    more = {
        "backtrack_logprob": pl.Series(logprobs.double().flatten().numpy()),
        "top": pl.Series(ids.int().flatten(0, 1).tolist(), dtype=pl.List(pl.Int32)),
    }
    return pl.concat(
        [rows_of(part, RESID, group_means(logits, sizes), **more)]
        + [rows_of(part, name, group_means(x, sizes)) for name, x in shares.items()]
    )


def vocabulary_of(lens: pl.DataFrame, tokenizer: TraceTokenizer) -> pl.DataFrame:
    """Texts of the most likely tokens, ascending by token: `VOCABULARY`."""
    tokens = lens["top"].explode().drop_nulls().unique().sort().to_list()
    rows = [{"token": token, "text": tokenizer.text_of(token)} for token in tokens]
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
    """Read the cache, look through the lens at the selected positions, write."""
    turns = TURNS.read(turns_path).filter("selected")
    targets = target_ids(TURN_WORDS.read(words_path))
    cache = ActivationCache(index_path, cache_paths, Origin.of(model, events_path))
    device = choose_device(model.device)
    lens = Lens.load(model, device)
    checks, tables = Checks(), [LOGIT_LENS.frame([])]
    progress = Progress(turns.height, "positions")
    for part, states in slices_of(cache, turns, settings.batch_memory, device):
        tables.append(lens_table(lens, part, states, targets, settings.top, checks))
        progress.update(part.height)
    progress.close()
    VERIFICATION.write(checks.rows(model.dtype), verification_path)
    traces = turns["trace"].n_unique()
    run = run_row_on(STAGE, "1-of-1", progress, device, model.dtype, traces)
    RUNS.write(run, runs_path)
    table = pl.concat(tables)
    VOCABULARY.write(vocabulary_of(table, load_tokenizer(model)), vocabulary_path)
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
