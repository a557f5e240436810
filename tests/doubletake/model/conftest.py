"""Models with attention windows."""

import pytest
import torch
from tiny_windows import windowed_decoder


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
