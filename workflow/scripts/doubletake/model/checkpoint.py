"""Reads single tensors from a checkpoint without loading the model."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers.utils import cached_file

from doubletake.model.architectures import LAYOUTS, Layout
from doubletake.model.configuration import DTYPES, read_config
from doubletake.model.folders import WEIGHTS_INDEX
from doubletake.model.refused_configs import WEIGHTS
from doubletake.running.errors import InputError
from doubletake.running.json_files import read_json
from doubletake.study.settings import ModelSettings

# Composite models name the tensors and the modules of their decoder differently.
PREFIXES = ("model.", "language_model.")
STORED_PREFIXES = ("model.", "language_model.model.", "model.language_model.")


class Checkpoint:
    """A model's safetensors files. Each tensor is read when it is requested.

    Attributes:
        settings: settings of the model.
        config: its text configuration.
        layout: the paths of its modules.
    """

    def __init__(self, settings: ModelSettings) -> None:
        """Read the configuration.

        Raises:
            InputError: the configuration cannot be downloaded or read, or its
                architecture is unknown.
        """
        self.settings = settings
        config = read_config(settings)
        self.layout: Layout = LAYOUTS[config.model_type]
        self.config: Any = config.get_text_config()
        ties = (
            getattr(one, "tie_word_embeddings", False) for one in (config, self.config)
        )
        self._is_tied = any(ties)
        self._files: dict[str, Any] = {}

    def tensor(self, name: str) -> torch.Tensor:
        """A tensor by its name in the model (`model.norm.weight`), on the CPU.

        Returns:
            The tensor as stored, in the dtype of the settings.

        Raises:
            InputError: the checkpoint does not hold the tensor, its file is damaged, or
                some of its values are not finite.
        """
        stored = next(
            (key for key in _stored_names(name) if key in self._file_of), None
        )
        if stored is None:
            raise InputError(f"{self.settings.source}: no weight {name}")
        path = self._file_of[stored]
        try:
            tensor = self._open(path).get_tensor(stored)
        except SafetensorError as error:
            raise InputError(f"{path}: damaged safetensors file ({error})") from error
        if not torch.isfinite(tensor).all():
            raise InputError(
                f"{self.settings.source}: weight {name} holds values that are not "
                f"finite ({path.name})"
            )
        return tensor.to(DTYPES[self.settings.dtype])

    def has(self, name: str) -> bool:
        """Whether the checkpoint holds a tensor of this name."""
        return any(key in self._file_of for key in _stored_names(name))

    def layer_tensor(self, layer: int, name: str) -> torch.Tensor:
        """A tensor of a layer, by its name in the layer (`mlp.down_proj.weight`)."""
        return self.tensor(f"{self.layout.layers}.{layer}.{name}")

    @property
    def embed(self) -> torch.Tensor:
        """Token embedding, [vocabulary, d_model], without the model's scale."""
        return self.tensor(f"{self.layout.embed}.weight")

    @property
    def unembed(self) -> torch.Tensor:
        """`W_U`, [vocabulary, d_model]; equals the embedding if the two are tied."""
        name = f"{self.layout.unembed}.weight"
        return self.embed if self._is_tied and not self.has(name) else self.tensor(name)

    @cached_property
    def _file_of(self) -> dict[str, Path]:
        """The file of every stored tensor.

        If there are both a single file and an index of parts, the single file is read,
        as in transformers.
        """
        path = self._find(WEIGHTS, needed=False)
        index = self._find(WEIGHTS_INDEX, needed=False) if path is None else None
        if index is None:
            path = path or self._find(WEIGHTS, needed=True)
            assert path is not None
            return dict.fromkeys(self._open(path).keys(), path)
        named = read_json(index).get("weight_map", {})
        return {key: self._shard(file) for key, file in named.items()}

    def _shard(self, file: str) -> Path:
        """Path of a file that the index names: beside the index, or on the hub."""
        if self.settings.revision is None:
            return Path(self.settings.source) / Path(file).name
        return Path(file)

    def _find(self, name: str, *, needed: bool) -> Path | None:
        try:
            path = cached_file(
                self.settings.source,
                name,
                revision=self.settings.revision,
                _raise_exceptions_for_missing_entries=needed,
            )
        except OSError as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"{self.settings.source}: {reason}") from error
        return None if path is None else Path(path)

    def _open(self, path: Path) -> Any:
        if str(path) not in self._files:
            local = path if path.exists() else self._find(path.name, needed=True)
            try:
                file = safe_open(str(local), framework="pt", device="cpu")
            except (OSError, SafetensorError) as error:
                raise InputError(
                    f"{path}: damaged or missing safetensors file ({error})"
                ) from error
            self._files[str(path)] = file
        return self._files[str(path)]


def _stored_names(name: str) -> list[str]:
    """The names under which a checkpoint may store a tensor of the model."""
    bare = name
    for prefix in PREFIXES:
        bare = bare.removeprefix(prefix)
    return [name, *(prefix + bare for prefix in STORED_PREFIXES), bare]
