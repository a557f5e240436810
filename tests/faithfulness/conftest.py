"""A small study of the pocket model, with its trial points and early exits."""

import pytest
import torch
from checkouts import ROOT
from tiny_models import tokenizer_settings
from tiny_pocket_study import write_pocket_study

import early_exit.measure
import trial_points.measure
from doubletake.model.loading import load_decoder
from doubletake.stats.verification import Verification
from doubletake.text.tokenizer import load_tokenizer

COUNT, LIMIT = 8, 200
PROMPT, STOP = "{closing}The answer is \\boxed{", "}"
FEW = Verification(share=0.0, minimum=1, seed=0)


@pytest.fixture(scope="session")
def pocket():
    torch.set_num_threads(1)
    return tokenizer_settings(ROOT / "resources/pocket")


@pytest.fixture(scope="session")
def tokenizer(pocket):
    return load_tokenizer(pocket)


@pytest.fixture(scope="session")
def study(tmp_path_factory, pocket, tokenizer):
    """Folder with problems, traces, events, trial points and early exits."""
    folder = tmp_path_factory.mktemp("faithfulness")
    write_pocket_study(folder, load_decoder(pocket), tokenizer, COUNT, LIMIT)
    paths = {
        f"{name}_path": folder / f"{name}.parquet" for name in ("problems", "traces")
    }
    trial_points.measure.main(
        **paths,
        points_path=folder / "trial_points.parquet",
        states_path=folder / "states.safetensors",
        state_rows_path=folder / "states.parquet",
        verification_path=folder / "verification.parquet",
        runs_path=folder / "runs.parquet",
        model=pocket,
        settings=trial_points.measure.Settings(
            kinds=["sentence", "arrival"],
            every=32,
            most_points=None,
            max_tokens=20,
            answer_prompt=PROMPT,
            answer_stop=STOP,
            layers=[1.0],
            batch_memory=0.1,
            verification=FEW,
        ),
        shard="1-of-1",
    )
    early_exit.measure.main(
        **paths,
        events_path=folder / "events.parquet",
        exits_path=folder / "early_exit.parquet",
        verification_path=folder / "verification.parquet",
        runs_path=folder / "runs.parquet",
        model=pocket,
        settings=early_exit.measure.Settings(
            answer_prompt=PROMPT,
            answer_stop=STOP,
            max_answer_tokens=8,
            batch_memory=0.1,
            verification=FEW,
        ),
        shard="1-of-1",
    )
    return folder
