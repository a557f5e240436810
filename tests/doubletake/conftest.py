"""A model of the hub without a network."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants
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
