"""Reads a model's configuration, and refuses models that are not supported."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig
from transformers.utils.peft_utils import find_adapter_config_file

from doubletake.model.adapters import refuse_adapter
from doubletake.model.folders import check_adapter
from doubletake.model.refused_configs import KEYS, refuse_config
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
NO_SAFETENSORS = "cannot be loaded with `safetensors`"  # in transformers' message


def read_config(settings: ModelSettings) -> Any:
    """Configuration of a model, without its weights.

    Raises:
        InputError: the configuration cannot be downloaded or read, or the model is not
            supported.
    """
    _refuse_adapter(settings)
    with load_errors(settings):
        config = AutoConfig.from_pretrained(
            settings.source,
            revision=settings.revision,
            trust_remote_code=settings.trust_remote_code,
        )
    content = {key: getattr(config, key, None) for key in KEYS}
    refuse_config(settings.source, content)
    return config


@contextmanager
def load_errors(settings: ModelSettings) -> Iterator[None]:
    """Turn errors of transformers about bad files into one sentence."""
    at = "" if settings.revision is None else f" at revision {settings.revision}"
    try:
        yield
    except SafetensorError as error:
        raise InputError(
            f"{settings.source}{at}: damaged safetensors file ({error})"
        ) from error
    except (OSError, ValueError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        if NO_SAFETENSORS in reason:
            reason = "it has no safetensors weights; pickled weights are never opened"
        raise InputError(
            f"{settings.source}{at}: cannot be loaded as a model ({reason})"
        ) from error


def _refuse_adapter(settings: ModelSettings) -> None:
    """Refuse a model that is or holds an adapter.

    Without a connection to the hub, only an adapter in its cache is found.
    """
    if settings.revision is None:
        return check_adapter(Path(settings.source), settings.source)
    with load_errors(settings):
        found = find_adapter_config_file(settings.source, revision=settings.revision)
    return refuse_adapter(settings.source, None, [Path(found)] if found else [])
