"""Single tensors of a checkpoint, read without loading the model."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers.utils import cached_file

from doubletake.model.architectures import LAYOUTS, Layout
from doubletake.model.configuration import DTYPES, read_config
from doubletake.model.folders import WEIGHTS, WEIGHTS_INDEX
from doubletake.running.errors import InputError
from doubletake.running.json_files import read_json
from doubletake.study.settings import ModelSettings

# Composite models name the decoder's tensors in another order than its modules.
PREFIXES = ("model.", "language_model.")
STORED_PREFIXES = ("model.", "language_model.model.", "model.language_model.")


class Checkpoint:
    """A model's safetensors files; a tensor is read when asked for.

    Attributes:
        settings: what loads the model.
        config: its text configuration.
        layout: where its parts are.
    """

    def __init__(self, settings: ModelSettings) -> None:
        """Read the configuration.

        Raises:
            InputError: it cannot be had or read, or the architecture is unknown.
        """
        self.settings = settings
        config = read_config(settings)
        self.layout: Layout = LAYOUTS[config.model_type]
        self.config: Any = config.get_text_config()
        self._files: dict[str, Any] = {}

    def tensor(self, name: str) -> torch.Tensor:
        """A tensor by its name in the model (`model.norm.weight`), on the CPU.

        Returns:
            It, as stored, in the dtype that the settings ask for.

        Raises:
            InputError: the checkpoint does not hold it, it is damaged, or it holds
                values that are not finite.
        """
        stored = next((key for key in _spellings(name) if key in self._places), None)
        if stored is None:
            raise InputError(f"{self.settings.source}: no weight {name}")
        path = self._places[stored]
        try:
            found = self._open(path).get_tensor(stored)
        except SafetensorError as error:
            raise InputError(f"{path}: damaged safetensors file ({error})") from error
        if not torch.isfinite(found).all():
            raise InputError(
                f"{self.settings.source}: weight {name} holds values that are not "
                f"finite ({path.name})"
            )
        return found.to(DTYPES[self.settings.dtype])

    def has(self, name: str) -> bool:
        """Whether the checkpoint holds this tensor."""
        return any(key in self._places for key in _spellings(name))

    def layer_tensor(self, layer: int, name: str) -> torch.Tensor:
        """A tensor of a layer, by its name in it (`mlp.down_proj.weight`)."""
        return self.tensor(f"{self.layout.layers}.{layer}.{name}")

    @property
    def embed(self) -> torch.Tensor:
        """Token embedding, [vocabulary, d_model], not scaled."""
        return self.tensor(f"{self.layout.embed}.weight")

    @property
    def unembed(self) -> torch.Tensor:
        """`W_U`, [vocabulary, d_model]; the embedding where the two are tied."""
        name = f"{self.layout.unembed}.weight"
        tied = getattr(self.config, "tie_word_embeddings", False)
        return self.embed if tied and not self.has(name) else self.tensor(name)

    @cached_property
    def _places(self) -> dict[str, Path]:
        """File of every stored tensor.

        Of a whole file and an index of parts, the whole one counts, as where the
        library loads the model.
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
        """A file that the index names: beside it, or on the hub."""
        if self.settings.revision is None:
            return Path(self.settings.source) / Path(file).name
        return Path(file)

    def _find(self, name: str, *, needed: bool) -> Path | None:
        try:
            found = cached_file(
                self.settings.source,
                name,
                revision=self.settings.revision,
                _raise_exceptions_for_missing_entries=needed,
            )
        except OSError as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"{self.settings.source}: {reason}") from error
        return None if found is None else Path(found)

    def _open(self, path: Path) -> Any:
        if str(path) not in self._files:
            here = path if path.exists() else self._find(path.name, needed=True)
            try:
                file = safe_open(str(here), framework="pt", device="cpu")
            except (OSError, SafetensorError) as error:
                raise InputError(
                    f"{path}: damaged or missing safetensors file ({error})"
                ) from error
            self._files[str(path)] = file
        return self._files[str(path)]


def _spellings(name: str) -> list[str]:
    """The names under which a checkpoint may store a tensor of the model."""
    bare = name
    for prefix in PREFIXES:
        bare = bare.removeprefix(prefix)
    return [name, *(prefix + bare for prefix in STORED_PREFIXES), bare]
