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
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from activations.reading import Origin, Sizes
from activations.replay import figures_of, replayed_off
from activations.shard_files import ShardWriter, index_of, writing
from activations.splits import calibration_problems
from activations.tables import ACTIVATION_INDEX
from doubletake.model.budgets import forward_tokens, unembedding_in_layers
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import hooked
from doubletake.model.lens import Lens
from doubletake.model.loading import load_decoder, refuse_bad_weights
from doubletake.model.passes import in_batches, padded
from doubletake.model.proofs import prove
from doubletake.running.digests import code_digest
from doubletake.running.errors import InputError
from doubletake.running.logs import Progress, job
from doubletake.running.reuse import origin_key
from doubletake.running.runs import run_of
from doubletake.running.store import Store
from doubletake.stats.verification import Case, Verification, drawn, with_verification
from doubletake.study.settings import ModelSettings
from doubletake.study.shards import rows_of_shard
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION, verification_of
from doubletake.text.thoughts import thought_tokens
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


@dataclass(frozen=True)
class Item:
    """One trace on its way through the model."""

    trace: str
    ids: list[int]
    """Prompt and completion."""
    prompt: int
    """Number of prompt tokens."""
    thought: tuple[int, int] | None
    """First position of the thought and the one after its last, of a calibration
    problem."""
    logprobs: list[float] | None
    """Of the completion's tokens, as generated (nats); None: not to be replayed."""
    positions: list[int]
    """What to keep."""
    row: int
    """Where the kept rows begin in the shard."""


@dataclass(frozen=True)
class Kept:
    """What one batch leaves behind; everything on the CPU."""

    rows: dict[str, torch.Tensor]
    """`activations.PER_ROW` tensors; rows in the order of the batch's items."""
    sums: dict[str, torch.Tensor]
    """`resid` [n_layers + 1, d_model] and `attn_out` [n_layers, d_model], float64, over
    the calibration thoughts."""
    count: int
    """Tokens in the sums."""
    differences: torch.Tensor
    """|replayed - generated| log-prob of every token that is replayed."""


def readable(
    traces: pl.DataFrame, shard: str, longest: int
) -> tuple[pl.DataFrame, str]:
    """The shard's traces that the model can read, and a note on those too long."""
    mine = rows_of_shard(traces, shard)
    lengths = pl.col("prompt_ids").list.len() + pl.col("completion_ids").list.len()
    refused = mine.filter(lengths > longest)["trace"].to_list()
    note = ""
    if refused:
        note = f"refused, longer than {longest} tokens: {', '.join(refused)}"
        logger.warning("%s", note)
    return mine.filter(lengths <= longest), note


def items_of(
    traces: pl.DataFrame, index: pl.DataFrame, calibration: set[str]
) -> list[Item]:
    """What the pass needs to know of every trace.

    Raises:
        InputError: a trace without prompt.
    """
    kept = {
        trace: (first, tokens)
        for trace, first, tokens in index.group_by("trace")
        .agg(first=pl.col("row").min(), tokens=pl.col("token").sort_by("row"))
        .iter_rows()
    }
    items = []
    for row in traces.iter_rows(named=True):
        if not row["prompt_ids"]:
            raise InputError(f"traces: trace {row['trace']} has an empty prompt")
        ids = row["prompt_ids"] + row["completion_ids"]
        thought = thought_tokens(row)
        first, positions = kept.get(row["trace"], (0, []))
        items.append(
            Item(
                trace=row["trace"],
                ids=ids,
                prompt=len(row["prompt_ids"]),
                thought=thought if row["problem"] in calibration else None,
                logprobs=row["logprobs"],
                positions=positions,
                row=first,
            )
        )
    return items


def replayed(items: list[Item], decoder: Decoder, settings: Verification) -> list[Item]:
    """The items, with log-probs only where they are to be replayed.

    To replay is to unembed every token of a completion, which costs as much as some
    layers: in small models with large vocabularies as much as many.

    Args:
        items: of the shard.
        decoder: the model.
        settings: how many are replayed.
    """
    cost = unembedding_in_layers(decoder)
    cases = [
        Case((item.trace,), cost * len(item.logprobs))
        for item in items
        if item.logprobs is not None
    ]
    work = sum(len(item.ids) for item in items) * decoder.n_layers
    names = {case.name for case in drawn(cases, work, settings)}
    return [
        item if (item.trace,) in names else replace(item, logprobs=None)
        for item in items
    ]


def check_vocabulary(items: list[Item], vocabulary: int) -> None:
    """Refuse traces of another tokenizer.

    Raises:
        InputError: a trace holds a token that the model does not have; names both.
    """
    for item in items:
        if max(item.ids) >= vocabulary:
            raise InputError(
                f"trace {item.trace}: token {max(item.ids)} is not in the model's "
                f"vocabulary of {vocabulary}"
            )


@torch.inference_mode()
def pass_through(decoder: Decoder, batch: list[Item]) -> Kept:
    """One forward pass; hooks keep the wanted positions of every part."""
    ids = padded([item.ids for item in batch]).to(decoder.device)
    places = [(k, t) for k, item in enumerate(batch) for t in item.positions]
    where = torch.tensor(places, dtype=torch.long).reshape(-1, 2)
    traces, tokens = where.to(decoder.device).unbind(1)
    thoughts = [(k, *item.thought) for k, item in enumerate(batch) if item.thought]
    sizes = Sizes(len(places), decoder.n_layers, decoder.d_model)
    kept = {
        name: torch.empty(shape, dtype=dtype, device=decoder.device)
        for name, (dtype, shape) in sizes.tensors(decoder.dtype).items()
        if name in ("resid", "attn_out", "mlp_out")
    }
    sums = empty_sums(decoder)

    def keep(name: str, layer: int, states: torch.Tensor) -> None:
        kept[name][:, layer] = states[traces, tokens]
        if name in sums:
            for k, start, stop in thoughts:
                sums[name][layer] += states[k, start:stop].sum(0, dtype=torch.float64)

    with hooked(decoder, keep):
        normed = decoder.base(input_ids=ids, use_cache=False).last_hidden_state
    check_finite(decoder, normed, batch)
    lens = Lens.of(decoder)
    kept["final_scale"] = lens.scale(kept["resid"][:, -1])
    return Kept(
        rows={name: values.cpu() for name, values in kept.items()},
        sums={name: total.cpu() for name, total in sums.items()},
        count=sum(stop - start for _, start, stop in thoughts),
        differences=torch.cat(
            [
                torch.zeros(0),
                *(
                    replayed_off(lens, states, item.ids, item.logprobs)
                    for states, item in zip(normed, batch, strict=True)
                    if item.logprobs is not None
                ),
            ]
        ),
    )


def empty_sums(decoder: Decoder) -> dict[str, torch.Tensor]:
    """What the sums over calibration thoughts start from; see `Kept.sums`."""
    layers = {"resid": decoder.n_layers + 1, "attn_out": decoder.n_layers}
    return {
        name: torch.zeros(
            count, decoder.d_model, dtype=torch.float64, device=decoder.device
        )
        for name, count in layers.items()
    }


def check_finite(decoder: Decoder, normed: torch.Tensor, batch: list[Item]) -> None:
    """Refuse states that are not finite, as float16 gives where it overflows.

    Weights may be the cause, too: their file may change after the model was proven.

    Raises:
        InputError: names the weight, or else the trace.
    """
    finite = normed.sum(-1, dtype=torch.float32).isfinite().cpu()
    for item, tokens in zip(batch, finite, strict=True):
        if not tokens[: len(item.ids)].all():
            refuse_bad_weights(decoder)
            raise InputError(
                f"trace {item.trace}: the model's states are not finite in "
                f"{str(normed.dtype).removeprefix('torch.')}"
            )


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
    run = run_of(STAGE, shard, progress, decoder, progress.items, note)
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
    key = origin_key(deciding, [*model_paths, *read]) if store.folder else ""
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
