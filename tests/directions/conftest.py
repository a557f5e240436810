"""A study of short thoughts with known sentences, read by the tiny model."""

from pathlib import Path

import pytest
import torch
from tiny_activations import Study
from tiny_fits import many_thoughts, study_with

from doubletake.study.settings import ModelSettings

torch.set_num_threads(1)


@pytest.fixture
def study(tmp_path: Path, model: ModelSettings) -> Study:
    """Sixteen problems, some of them with two thoughts."""
    return study_with(tmp_path, model, many_thoughts())
