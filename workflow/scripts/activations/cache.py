"""One forward pass over the traces: what the model holds at every event.

Inputs
    traces: `schemas.TRACES`.
    events: `schemas.EVENTS`.
    the model.

Outputs, of one shard
    cache: safetensors, tensors as in `activations.reading`.
    index: `schemas.ACTIVATION_INDEX`, where each event lies in the cache.
    verification: `schemas.VERIFICATION`, replayed against generated log-probs and the
        self-proof of the model.
    runs: `schemas.RUNS`, one row.
"""

import logging
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.items import Item, check_vocabulary, items_of, readable, replayed
from activations.passes import empty_sums, pass_through
from activations.reading import Origin, Sizes
from activations.replay import figures_of
from activations.shard_files import ShardWriter, index_of, writing
from activations.splits import calibration_problems
from activations.tables import ACTIVATION_INDEX
from doubletake.model.batch_memory import forward_tokens
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.self_proof import prove
from doubletake.running.cache_keys import cache_key
from doubletake.running.digests import code_digest
from doubletake.running.logs import Progress, job
from doubletake.running.run_rows import run_row
from doubletake.running.store import Store
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from events.tables import EVENTS
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("doubletake.cache_activations")

STAGE = "activations"


@dataclass(frozen=True)
class Settings:
    """The `activations` section of the config, budgets of memory and verification."""

    batch_memory: float
    """Memory that one batch may take beyond the model, GiB."""
    calibration_share: float
    """Share of the problems whose thoughts give the mean residual."""
    verification: Verification
    """How many traces of a shard have their log-probs replayed."""


def warn_beyond(verification: pl.DataFrame) -> None:
    """Log every figure that exceeds its bound."""
    for row in verification.filter(pl.col("value") > pl.col("bound")).iter_rows(
        named=True
    ):
        logger.warning(
            "%(check)s: %(statistic)s is %(value).3g %(unit)s, bound %(bound)g", row
        )


def main(
    *,
    traces_path: Path,
    events_path: Path,
    cache_path: Path,
    index_path: Path,
    verification_path: Path,
    runs_path: Path,
    shard: str,
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the tables, pass the shard's traces through the model, write its cache."""
    traces, events = TRACES.read(traces_path), EVENTS.read(events_path)
    calibration = calibration_problems(traces["problem"], settings.calibration_share)
    decoder = load_decoder(model)
    mine, note = readable(traces, shard, decoder.max_positions)
    index = index_of(traces, mine, events, shard)
    items = items_of(mine, index, calibration)
    check_vocabulary(items, decoder.embed.weight.shape[0])
    items = replayed(items, decoder, settings.verification)
    sizes = Sizes(index.height, decoder.n_layers, decoder.d_model)
    origin = Origin.of(model, events_path)
    progress = Progress(len(items), "traces")
    with writing(cache_path, shard, origin, sizes, decoder.dtype) as writer:
        differences = cache(decoder, items, settings.batch_memory, writer, progress)
    progress.close()
    figures = figures_of(prove(decoder), differences, model.dtype)
    verification = verification_of(STAGE, figures)
    warn_beyond(verification)
    VERIFICATION.write(verification, verification_path)
    run = run_row(STAGE, shard, progress, decoder, progress.items, note)
    RUNS.write(run, runs_path)
    ACTIVATION_INDEX.write(index, index_path)


def cache(
    decoder: Decoder,
    items: list[Item],
    batch_memory: float,
    writer: ShardWriter,
    progress: Progress,
) -> torch.Tensor:
    """Pass all traces through and write what is kept.

    Returns:
        [token], |replayed - generated| log-prob, nats.
    """
    sums = {name: total.cpu() for name, total in empty_sums(decoder).items()}
    count = 0
    differences = [torch.zeros(0)]
    passes = in_batches(
        items,
        partial(pass_through, decoder),
        length=lambda item: len(item.ids),
        name=lambda item: f"trace {item.trace}",
        batch_tokens=forward_tokens(decoder, batch_memory),
    )
    for batch, kept in passes:
        start = 0
        for item in batch:
            stop = start + len(item.positions)
            rows = {name: part[start:stop] for name, part in kept.rows.items()}
            writer.write_rows(item.row, rows)
            start = stop
        for name, total in kept.sums.items():
            sums[name] += total
        count += kept.count
        differences.append(kept.differences)
        progress.update(len(batch), sum(len(item.ids) for item in batch))
    writer.write_means(sums["resid"], sums["attn_out"], count)
    return torch.cat(differences)


def main_or_stored(
    store: Store, model_paths: list[Path], code: str, **paths_and_settings: Any
) -> None:
    """`main`, or its results from the store where another study has made the same.

    Args:
        store: where they are looked for and kept.
        model_paths: files of a local model.
        code: digest of the code that runs, taken now: what the rule's params hold is
            as old as the start of Snakemake.
        paths_and_settings: of `main`.
    """
    given = paths_and_settings
    deciding = {
        "model": {k: v for k, v in asdict(given["model"]).items() if k != "device"},
        "calibration_share": given["settings"].calibration_share,
        "verification": asdict(given["settings"].verification),
        "shard": given["shard"],
        "code": code,
    }
    read = [given["traces_path"], given["events_path"]]
    key = cache_key(deciding, [*model_paths, *read]) if store.folder else ""
    made = {
        name.removesuffix("_path"): path
        for name, path in given.items()
        if name in ("cache_path", "index_path", "verification_path", "runs_path")
    }
    if not store.fetch(STAGE, key, made):
        main(**given)
        store.keep(STAGE, key, made)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main_or_stored(
            Store.here(),
            [Path(path) for path in snakemake.input.model],
            code_digest("activations/cache"),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            cache_path=Path(snakemake.output.cache),
            index_path=Path(snakemake.output.index),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            shard=snakemake.wildcards.shard,
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
