"""A real model in a cache outside of the repository, and a finished study of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkouts import Checkout, shared_folder
from filelock import FileLock
from real_study import COUNT, MODEL, QUESTIONS, THOUGHTS, TURNS, RealStudy

from doubletake.detector.rules_detector import detect

ROOT = Path(__file__).parents[2]
MAKER = Path(__file__).with_name("make_smollm2.py")
ROWS = "r1_traces/gsm8k_test.jsonl"
SHORT = 900, 1600  # characters of a thought: a few hundred tokens
# These tests compare by themselves, so the workflow verifies as little as possible.
VERIFICATION = {"share": 0.02, "minimum": 2, "seed": 0}


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """Folder of SmolLM2-135M-Instruct, which is made once on each machine."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = base / "doubletake/smollm2-135m-instruct"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            made = subprocess.run(
                [sys.executable, str(MAKER), str(folder)],
                capture_output=True,
                text=True,
                check=False,
            )
            if made.returncode:
                reason = made.stderr.strip().splitlines()[-1:]
                pytest.skip(f"SmolLM2 cannot be made from its package: {reason}")
    return folder


@pytest.fixture(scope="session")
def thoughts() -> list[dict[str, Any]]:
    """Real thoughts on different questions; each turns back at least twice."""
    data = os.environ.get("DOUBLETAKE_DATA")
    if not data or not (Path(data) / ROWS).is_file():
        pytest.skip(f"DOUBLETAKE_DATA names no folder with {ROWS}")
    lines = (Path(data) / ROWS).read_text(encoding="utf-8").splitlines()
    chosen: dict[str, dict[str, Any]] = {}
    for row in map(json.loads, lines):
        fits = SHORT[0] <= len(row["thought"]) <= SHORT[1] and row["closed"]
        if not fits or row["question"] in chosen:
            continue
        if len(detect(row["question"], row["thought"]).backtracks) >= TURNS:
            chosen[row["question"]] = row
        if len(chosen) == COUNT:
            return list(chosen.values())
    raise AssertionError(f"only {len(chosen)} thoughts turn back {TURNS} times")


def configure(config: dict[str, Any], model: Path) -> None:
    """SmolLM2 reads the thoughts; it generates thoughts on the questions."""
    published = yaml.safe_load((ROOT / "config/smollm2.yaml").read_text())
    config["models"] = published["models"]
    config["models"][MODEL]["source"] = str(model)
    del config["models"][MODEL]["revision"]
    config["datasets"] = {
        THOUGHTS: {"source": f"{THOUGHTS}.jsonl", "thoughts": True},
        QUESTIONS: {"source": f"{QUESTIONS}.jsonl"},
    }
    config["studies"] = [{"model": MODEL, "dataset": THOUGHTS}]
    config |= {"shards": 1, "batch_memory": 1.0}
    # Six thoughts have few pairs that stand alike, so the calipers are wide here.
    config["matches"] = {"since_arrival": 3, "depth": 3, "arrivals": 1}
    config["intervals"]["least_problems"] = 3
    config["generation"] |= {"temperature": 0, "max_new_tokens": 40}
    config["turns"]["predicted_only"] = False
    config["early_exit"]["groups"] = [2, 3, 4]
    config["probing"] |= {"strengths": [0.01, 1.0], "folds": 3, "shuffles": 1}
    config["value_vectors"] |= {"best_layers": 1, "checked_positions": 3}
    config["steering"] |= published["steering"] | {"contexts": 2}
    config["exact_attribution"] |= {"backtracks": 2, "top": 3, "random": 2}
    config["exact_attribution"] |= {"depths": [0.5], "sampled_backtracks": 1}
    config["injection"] |= {"contexts": 2, "random": 3, "random_contexts": 1}
    config["injection"] |= {"free_contexts": 1, "free_tokens": 4}
    config["repetition"] |= {"thoughts": 2, "most": 3}
    config["wrong_samples"] |= {"further": 0, "samples": 1, "right_samples": 1}
    config["resampling"] |= {"boundaries": 8, "samples": 2, "anchor_thoughts": 1}
    config["faithfulness"]["thoughts"] = 2
    config["mistakes"] |= {"thoughts": 2, "own": 2, "samples": 1, "boundaries": 0}
    config["ablation"] |= {"boundaries": 1, "sizes": [2], "continuations": 1}
    config["ablation"] |= {"tokens": 4, "thoughts": 1, "thought_tokens": 8}
    config["report"]["examples"] = 2
    config["verification"] = VERIFICATION


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write one JSON object per line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="session")
def study(
    smollm2: Path,
    thoughts: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> RealStudy:
    """A finished study with all experiments; the first worker runs it."""
    folder = shared_folder(tmp_path_factory) / "real"
    with FileLock(folder.with_suffix(".lock")):
        done = folder.with_suffix(".done")
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            checkout = Checkout.new(folder)
            checkout.configure(lambda config: configure(config, smollm2))
            write_rows(folder / f"{THOUGHTS}.jsonl", thoughts)
            questions = [
                {"question": row["question"], "answer": f"#### {row['gold']}"}
                for row in thoughts[:2]
            ]
            write_rows(folder / f"{QUESTIONS}.jsonl", questions)
            generated = f"results/{MODEL}/{QUESTIONS}/traces.parquet"
            result = checkout.run("all", generated)
            assert result.returncode == 0, result.stdout[-8000:]
            done.touch()
    return RealStudy(Checkout(folder))
