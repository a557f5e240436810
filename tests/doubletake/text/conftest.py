"""A tiny tokenizer and real ones."""

import pytest
from tiny_models import tokenizer_settings

from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer

REAL = ["DeepSeek-R1-Distill-Llama-8B", "DeepSeek-R1-Distill-Qwen"]


@pytest.fixture(scope="module")
def tiny(tiny_model) -> TraceTokenizer:
    """The tokenizer of the tiny model."""
    return load_tokenizer(tokenizer_settings(tiny_model))


@pytest.fixture(scope="module", params=REAL)
def real(request, tokenizers_folder) -> TraceTokenizer:
    """Tokenizers of real models."""
    return load_tokenizer(tokenizer_settings(tokenizers_folder / request.param))
