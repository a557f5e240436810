"""One forward pass over the traces: what the model holds at every event.

Inputs
    traces: `TRACES`.
    events: `EVENTS`.
    matches: `MATCHES`; of the controls only members of a pair are cached.
    model: its files.

Outputs, of one shard
    cache: safetensors, tensors as in `activations.shard_format`.
    index: `ACTIVATION_INDEX`, where each event lies in the cache.
    verification: `VERIFICATION`, replayed against generated log-probs and the
        self-proof of the model.
    runs: `RUNS`, one row.
"""

import logging
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.cache_index import index_of, without_unmatched_controls
from activations.calibration_split import calibration_problems
from activations.forward_pass import batch_activations, batch_bytes, zero_sums
from activations.reading import Origin
from activations.shard_format import ShardSizes
from activations.shard_writer import ShardWriter, open_shard_writer
from activations.tables import ACTIVATION_INDEX
from activations.trace_inputs import (
    TraceInput,
    check_vocabulary,
    inputs_of,
    traces_within,
    with_drawn_replays,
)
from activations.verification_figures import verification_figures
from doubletake.model.batches import in_batches
from doubletake.model.decoder import Decoder
from doubletake.model.loading import load_decoder
from doubletake.model.run_rows import run_row
from doubletake.model.self_proof import prove
from doubletake.running.cache_keys import cache_key
from doubletake.running.digests import code_digest
from doubletake.running.logs import Progress, job
from doubletake.running.store import Store
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from events.tables import EVENTS
from matches.tables import MATCHES
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("cache_activations")

STAGE = "activations"


@dataclass(frozen=True)
class Settings:
    """The `activations` section of the config, with memory budget and verification."""

    batch_memory: float
    """Memory for one batch in addition to the model, in GiB."""
    calibration_share: float
    """Share of the problems. Their thoughts are used to compute the mean residual."""
    verification: Verification
    """How many traces of a shard have their log-probs replayed."""


def warn_beyond_bounds(verification: pl.DataFrame) -> None:
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
    matches_path: Path,
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
    in_shard, note = traces_within(traces, shard, decoder.max_positions)
    wanted = without_unmatched_controls(events, MATCHES.read(matches_path))
    index = index_of(traces, in_shard, wanted, shard)
    inputs = inputs_of(in_shard, index, calibration)
    check_vocabulary(inputs, decoder.embed.weight.shape[0])
    inputs = with_drawn_replays(inputs, decoder, settings.verification)
    sizes = ShardSizes(index.height, decoder.n_layers, decoder.d_model)
    origin = Origin.of(model, events_path)
    progress = Progress(len(inputs), "traces")
    with open_shard_writer(cache_path, shard, origin, sizes, decoder.dtype) as writer:
        differences = cache(decoder, inputs, settings.batch_memory, writer, progress)
    progress.close()
    figures = verification_figures(prove(decoder), differences, model.dtype)
    verification = verification_of(STAGE, figures)
    warn_beyond_bounds(verification)
    VERIFICATION.write(verification, verification_path)
    run = run_row(STAGE, shard, progress, decoder, progress.items, note)
    RUNS.write(run, runs_path)
    ACTIVATION_INDEX.write(index, index_path)


def cache(
    decoder: Decoder,
    inputs: list[TraceInput],
    batch_memory: float,
    writer: ShardWriter,
    progress: Progress,
) -> torch.Tensor:
    """Run all traces through the model and write their activations.

    Returns:
        [token], |replayed - generated| log-prob, nats.
    """
    sums = {name: total.cpu() for name, total in zero_sums(decoder).items()}
    count = 0
    differences = [torch.zeros(0)]
    batches = in_batches(
        inputs,
        partial(batch_activations, decoder),
        length=lambda item: len(item.ids),
        name=lambda item: f"trace {item.trace}",
        need=partial(batch_bytes, decoder),
        batch_memory=batch_memory,
    )
    for batch, activations in batches:
        start = 0
        for item in batch:
            stop = start + len(item.positions)
            rows = {name: part[start:stop] for name, part in activations.rows.items()}
            writer.write_rows(item.first_row, rows)
            start = stop
        for name, total in activations.sums.items():
            sums[name] += total
        count += activations.count
        differences.append(activations.differences)
        progress.update(len(batch), sum(len(item.ids) for item in batch))
    writer.write_means(sums["resid"], sums["attn_out"], count)
    return torch.cat(differences)


def main_or_stored(
    store: Store, model_paths: list[Path], code: str, **paths_and_settings: Any
) -> None:
    """Take the results from the store if another study has made them; else run `main`.

    Args:
        store: where results are looked for and kept.
        model_paths: files of a local model.
        code: digest of the running code. The digest in the rule's params is older: it
            was taken when Snakemake started.
        paths_and_settings: arguments of `main`.
    """
    arguments = paths_and_settings
    model = asdict(arguments["model"])
    deciding = {
        "model": {name: value for name, value in model.items() if name != "device"},
        "calibration_share": arguments["settings"].calibration_share,
        "verification": asdict(arguments["settings"].verification),
        "shard": arguments["shard"],
        "code": code,
    }
    inputs = [arguments[f"{name}_path"] for name in ("traces", "events", "matches")]
    key = cache_key(deciding, [*model_paths, *inputs]) if store.folder else ""
    outputs = {
        name.removesuffix("_path"): path
        for name, path in arguments.items()
        if name in ("cache_path", "index_path", "verification_path", "runs_path")
    }
    if not store.fetch(STAGE, key, outputs):
        main(**arguments)
        store.keep(STAGE, key, outputs)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main_or_stored(
            Store.here(),
            [Path(path) for path in snakemake.input.model],
            code_digest("activations/cache"),
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            matches_path=Path(snakemake.input.matches),
            cache_path=Path(snakemake.output.cache),
            index_path=Path(snakemake.output.index),
            verification_path=Path(snakemake.output.verification),
            runs_path=Path(snakemake.output.runs),
            shard=snakemake.wildcards.shard,
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(**with_verification(snakemake.params.settings)),
        )
