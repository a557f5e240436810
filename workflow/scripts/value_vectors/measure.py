"""Which MLP units write along the probe's direction, for which words, to what effect?

The MLP of layer l adds to `resid[l + 1]`, so its value vectors are compared with the
probe's direction at boundary l + 1. Units of largest and smallest cosine are listed
with the tokens they write for and against and with their activations, which come from
the cache and that MLP alone. Then, at backtracks, the top units' activations are scaled
at the position and the change of the next token's logits is computed exactly, beside
that of as many random units of the same layer whose writes there are of like norm.

Inputs
    traces, turns, words, events: `schemas.TRACES`, `TURNS`, `TURN_WORDS`; the digest of
        the events ties cache and directions to them.
    index, caches: the activation cache of the study.
    probing, directions: where the probes are selective, and along what.
    the model.

Outputs
    vectors, units, interventions: `schemas.VALUE_VECTORS`, `VALUE_VECTOR_UNITS`,
        `VALUE_VECTOR_INTERVENTIONS`; empty for a mixture of experts, whose run note
        says so.
    verification: cached activations and shared prefixes against plain passes.
    runs: `schemas.RUNS`, one row.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.reading import ActivationCache, Origin
from doubletake.model.checkpoint import Checkpoint
from doubletake.model.decoder import Decoder
from doubletake.model.lens import Lens
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError
from doubletake.running.logs import Progress, job
from doubletake.running.run_rows import run_row
from doubletake.stats.contrasts import BY_NAME
from doubletake.stats.intervals import Resampling
from doubletake.stats.verification import Verification, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from probing.reading import Directions, read_directions
from probing.tables import PROBING
from traces.tables import TRACES
from turns.reading import target_ids
from turns.tables import TURN_WORDS, TURNS
from value_vectors.rows import unit_rows, vector_rows
from value_vectors.scaling_checks import (
    STAGE,
    Check,
    CheckSettings,
    Findings,
    checked_turns,
    scalings_at,
    verified_of,
)
from value_vectors.tables import (
    VALUE_VECTOR_INTERVENTIONS,
    VALUE_VECTOR_UNITS,
    VALUE_VECTORS,
)
from value_vectors.vectors import (
    LayerUnits,
    layer_units,
)

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("value_vectors")

SHARD = "1-of-1"
SKIPPED = "skipped: mixture of experts"


@dataclass(frozen=True)
class Settings:
    """The `value_vectors` section of the config, budget and resampling."""

    contrast: str
    """Whose direction the vectors are compared with."""
    layers: list[int] | None
    """Layers to look into; None: where the probe is most selective."""
    best_layers: int
    """How many, then."""
    vectors: int
    """Vectors listed of either end."""
    tokens: int
    """Tokens listed for and against."""
    checked_vectors: int
    """Vectors of either end scaled together."""
    factors: list[float]
    """What their activations are multiplied with."""
    random_draws: int
    """Draws of random vectors."""
    checked_positions: int
    """Backtracks of the causal check."""
    seed: int
    """Of positions and random vectors."""
    verification: Verification
    """How many scalings are computed again by a full pass."""
    batch_memory: float
    """Memory that one batch may take beyond the model, GiB."""
    resampling: Resampling
    """Of the intervals."""

    @property
    def check(self) -> CheckSettings:
        """What the causal check reads."""
        return CheckSettings(
            checked_vectors=self.checked_vectors,
            factors=tuple(self.factors),
            random_draws=self.random_draws,
            seed=self.seed,
            batch_memory=self.batch_memory,
        )


def chosen_layers(
    probing: pl.DataFrame, settings: Settings, n_layers: int
) -> list[int]:
    """The layers to look into, ascending.

    Where the config names none: those before the boundaries of highest selectivity, of
    equal ones the later, as more of the stream is there.

    Raises:
        InputError: a layer of the config that the model does not have.
    """
    if settings.layers is not None:
        beyond = [layer for layer in settings.layers if layer >= n_layers]
        if beyond:
            raise InputError(
                f"value_vectors.layers: {beyond[0]} is beyond the model's last layer "
                f"{n_layers - 1}"
            )
        return sorted(settings.layers)
    written = probing.filter(pl.col("layer") > 0, task=settings.contrast)
    best = written.sort("selectivity", "layer", descending=True)
    return sorted(layer - 1 for layer in best["layer"].head(settings.best_layers))


def interventions_of(
    decoder: Decoder,
    units: list[LayerUnits],
    turns: pl.DataFrame,
    tokens: dict[str, list[int]],
    targets: dict[str, torch.Tensor],
    settings: Settings,
) -> tuple[Findings, Progress]:
    """The causal check at the drawn backtracks.

    Args:
        decoder: the model.
        units: of the chosen layers.
        turns: the selected turns, in the order of the units' activations.
        tokens: all token ids by trace.
        targets: token ids by group of words.
        settings: how.
    """
    check = Check(decoder, units, targets, settings.check)
    rows = checked_turns(turns, settings.checked_positions, settings.seed)
    places = [
        (trace, event, position + 1)
        for trace, event, position in (
            turns.select("trace", "event", "position").row(row) for row in rows
        )
    ]
    scalings = scalings_at(units, settings.check)
    verified = verified_of(places, scalings, settings.verification)
    progress = Progress(len(rows), "backtracks")
    for row in rows:
        turn = turns.row(row, named=True)
        ids = tokens[turn["trace"]][: turn["position"] + 1]
        again = verified.get((turn["trace"], turn["event"]), set())
        progress.update(1, check.add(turn, row, ids, again))
    progress.close()
    return check.findings, progress


def write(
    paths: dict[str, Path],
    vectors: list[dict[str, Any]],
    units: list[pl.DataFrame],
    findings: Findings,
    dtype: str,
    run: pl.DataFrame,
) -> None:
    """Write all tables, by their names in `paths`."""
    all_units = pl.concat([VALUE_VECTOR_UNITS.schema.to_frame(), *units])
    rows = VALUE_VECTOR_INTERVENTIONS.frame(findings.interventions)
    VALUE_VECTOR_UNITS.write(all_units, paths["units"])
    VALUE_VECTOR_INTERVENTIONS.write(rows, paths["interventions"])
    VERIFICATION.write(findings.verification(dtype), paths["verification"])
    RUNS.write(run, paths["runs"])
    VALUE_VECTORS.write(VALUE_VECTORS.frame(vectors), paths["vectors"])


def why_skipped(
    model: ModelSettings, directions: Directions, contrast: str
) -> str | None:
    """Why there is nothing to compute; None where there is."""
    if Checkpoint(model).layout.mlp_down is None:
        return SKIPPED
    if contrast not in directions.vectors:
        return f"skipped: no probe of {BY_NAME[contrast].words}"
    return None


def skipped_run(reason: str, model: ModelSettings) -> pl.DataFrame:
    """One row of `schemas.RUNS` of a stage that computed nothing."""
    row = {"stage": STAGE, "shard": SHARD, "traces": 0, "tokens": 0, "seconds": 0.0}
    row |= {"device": "none", "dtype": model.dtype, "note": reason}
    return RUNS.frame([row])


def main(
    *,
    traces_path: Path,
    events_path: Path,
    turns_path: Path,
    words_path: Path,
    index_path: Path,
    cache_paths: list[Path],
    probing_path: Path,
    directions_path: Path,
    table_paths: dict[str, Path],
    model: ModelSettings,
    settings: Settings,
) -> None:
    """Read the cache and the directions, look at the layers, check, write."""
    origin = Origin.of(model, events_path)
    directions = read_directions(directions_path, asdict(origin))
    skipped = why_skipped(model, directions, settings.contrast)
    if skipped is not None:
        logger.warning("%s", skipped)
        run = skipped_run(skipped, model)
        write(table_paths, [], [], Findings(), model.dtype, run)
        return
    cache = ActivationCache(index_path, cache_paths, origin)
    turns = TURNS.read(turns_path).filter("selected")
    layers = chosen_layers(PROBING.read(probing_path), settings, cache.n_layers)
    decoder, tokenizer = load_decoder(model), load_tokenizer(model)
    lens = Lens.of(decoder)
    units, rows = [], []
    count = max(settings.vectors, settings.checked_vectors)
    for layer in layers:
        direction = directions.vectors[settings.contrast][layer + 1]
        part, vectors = layer_units(decoder, layer, direction, cache, turns, count)
        rows += vector_rows(
            part,
            vectors,
            turns,
            lens,
            tokenizer,
            count=settings.vectors,
            tokens=settings.tokens,
            resampling=settings.resampling,
        )
        units.append(part)
    traces = TRACES.read(traces_path)
    tokens = {
        trace: prompt + completion
        for trace, prompt, completion in traces.select(
            "trace", "prompt_ids", "completion_ids"
        ).iter_rows()
    }
    targets = target_ids(TURN_WORDS.read(words_path))
    findings, progress = interventions_of(
        decoder, units, turns, tokens, targets, settings
    )
    run = run_row(STAGE, SHARD, progress, decoder, progress.items, "")
    tables = [unit_rows(part, turns) for part in units]
    write(table_paths, rows, tables, findings, model.dtype, run)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            turns_path=Path(snakemake.input.turns),
            words_path=Path(snakemake.input.words),
            index_path=Path(snakemake.input.index),
            cache_paths=[Path(path) for path in snakemake.input.caches],
            probing_path=Path(snakemake.input.probing),
            directions_path=Path(snakemake.input.directions),
            table_paths={k: Path(v) for k, v in snakemake.output.items()},
            model=ModelSettings(**snakemake.params.model),
            settings=Settings(
                **with_verification(snakemake.params.settings),
                batch_memory=snakemake.params.batch_memory,
                resampling=Resampling(**snakemake.params.resampling),
            ),
        )
