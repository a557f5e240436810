"""A small study of the pocket model, with its turns, cache and probes."""

import pytest
import torch
from checkouts import ROOT
from tiny_models import tokenizer_settings
from tiny_pocket_study import write_pocket_study

from activations import cache
from doubletake.model.loading import load_decoder
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.verification import Verification
from doubletake.text.tokenizer import load_tokenizer
from matches import measure as matching
from probing import measure as probing
from probing import summarise as probing_summary
from truth import read as truth
from turns import locate

COUNT, LIMIT = 24, 240
WORDS = {
    "backtrack": ["Wait", "But", "Alternatively", "Hmm", "Let"],
    "wrap_up": ["So", "Therefore"],
}
CHECKED = Verification(share=0.1, minimum=3, seed=0)


@pytest.fixture(scope="session")
def pocket():
    torch.set_num_threads(1)
    return tokenizer_settings(ROOT / "resources/pocket")


@pytest.fixture(scope="session")
def study(tmp_path_factory, pocket):
    """Folder with all tables that resampling reads, but for the trial points."""
    folder = tmp_path_factory.mktemp("resampling")
    tokenizer, decoder = load_tokenizer(pocket), load_decoder(pocket)
    write_pocket_study(folder, decoder, tokenizer, COUNT, LIMIT, lambda k: k % 3 == 1)
    paths = {
        f"{name}_path": folder / f"{name}.parquet"
        for name in ("traces", "events", "matches", "index")
    }
    first = {name: paths[f"{name}_path"] for name in ("traces", "events", "matches")}
    matching.main(
        **{f"{name}_path": path for name, path in first.items()},
        dropped_path=folder / "dropped.parquet",
        balance_path=folder / "balance.parquet",
        calipers=matching.Calipers(1.25, 2, 0),
    )
    caches = [folder / "1-of-1.safetensors"]
    cache.main(
        **paths,
        cache_path=caches[0],
        verification_path=folder / "cached.parquet",
        runs_path=folder / "runs.parquet",
        shard="1-of-1",
        model=pocket,
        settings=cache.Settings(0.1, 0.25, CHECKED),
    )
    locate.main(
        **paths,
        cache_paths=caches,
        turns_path=folder / "turns.parquet",
        words_path=folder / "words.parquet",
        verification_path=folder / "located.parquet",
        model=pocket,
        settings=locate.Settings("first", True, WORDS),
    )
    write_probes(folder, pocket, caches)
    truth.main(
        problems_path=folder / "problems.parquet",
        traces_path=folder / "traces.parquet",
        card_path=ROOT / "resources/pocket/README.md",
        truth_path=folder / "truth.parquet",
        verification_path=folder / "read.parquet",
    )
    return folder


def write_probes(folder, model, caches):
    """The tables of probing."""
    shared = {
        f"{name}_path": folder / f"{name}.parquet" for name in ("matches", "index")
    }
    part = folder / "1-of-1.probes.safetensors"
    probing.main(
        **shared,
        events_path=folder / "events.parquet",
        cache_paths=caches,
        scores_path=folder / "scores.parquet",
        directions_path=part,
        verification_path=folder / "probed.parquet",
        runs_path=folder / "probe_runs.parquet",
        shard="1-of-1",
        model=model,
        settings=probing.Settings([0.01], 3, 2, 1, 0, CHECKED, 3),
    )
    probing_summary.main(
        **shared,
        scores_path=folder / "scores.parquet",
        direction_parts=[part],
        probing_path=folder / "probing.parquet",
        contrasts_path=folder / "contrasts.parquet",
        directions_path=folder / "directions.safetensors",
        folds=3,
        seed=0,
        intervals=IntervalSettings(least_problems=3),
    )
