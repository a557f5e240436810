"""A model of the hub without a network, and models with attention windows."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from tiny_windows import windowed_decoder
from transformers.utils import hub

from doubletake.study.settings import ModelSettings

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub_model(tiny_model: Path, tmp_path: Path, monkeypatch) -> Path:
    """The tiny model in the hub's cache, offline."""
    cache = tmp_path / "cache"
    snapshot = cache / f"models--owner--name/snapshots/{COMMIT}"
    shutil.copytree(tiny_model, snapshot)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    assert hub.constants is constants
    return snapshot


@pytest.fixture
def hub_settings(model: ModelSettings) -> ModelSettings:
    """Settings to load the model of the hub."""
    return replace(model, source="owner/name", revision=COMMIT)


@pytest.fixture(scope="module")
def decoder_of(tmp_path_factory):
    """Gives a model by architecture and window; each is written once."""
    torch.set_num_threads(1)
    made = {}

    def get(name, window):
        if (name, window) not in made:
            folder = tmp_path_factory.mktemp(f"{name}-{window}")
            made[name, window] = windowed_decoder(name, window, folder)
        return made[name, window]

    return get
