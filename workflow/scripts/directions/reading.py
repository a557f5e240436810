"""Directions in a safetensors file, written here and read by other folders.

Tensors, float32, with boundary 0 ... n_layers of the residual stream:

    residual_norms        [n_layers + 1]             mean norm of the residual stream
    mean_norms            [n_layers + 1]             norm of its mean
    components            [n_layers + 1, k, d_model] its leading principal components
    vectors/NAME          [n_layers + 1, d_model]    unit vectors toward turning back
    norms/NAME            [n_layers + 1]             length of the difference of means
    shuffled/NAME         [draw, n_layers + 1, d_model]  unit vectors
    shuffled_norms/NAME   [draw, n_layers + 1]

All of them are over thought tokens of the fit problems. Metadata: `model`
("source@revision"). The file is sealed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch

from directions.tables import DIRECTION_PROBLEMS, TEST
from doubletake.running.errors import InputError
from doubletake.stats.draws import array_generator
from doubletake.tensors.sealed_tensors import read_tensors, write_tensors

_BY_NAME = ("vectors", "norms", "shuffled", "shuffled_norms")


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions by name; an absent direction has no name here."""

    model: str
    """The model that they belong to: "source@revision"."""
    residual_norms: torch.Tensor
    """[n_layers + 1], mean norm of the residual stream; the unit of strengths."""
    mean_norms: torch.Tensor
    """[n_layers + 1], norm of its mean (Venhoff's strength 1)."""
    components: torch.Tensor
    """[n_layers + 1, k, d_model], orthonormal rows."""
    vectors: dict[str, torch.Tensor]
    """[n_layers + 1, d_model], unit vectors (0 where the classes do not differ)."""
    norms: dict[str, torch.Tensor]
    """[n_layers + 1], length of the difference of means."""
    shuffled: dict[str, torch.Tensor]
    """[draw, n_layers + 1, d_model], unit vectors of the same recipe, labels swapped
    within problems."""
    shuffled_norms: dict[str, torch.Tensor]
    """[draw, n_layers + 1]."""

    def random(
        self, count: int, seed: int, *, within: bool = False, layer: int = 0
    ) -> torch.Tensor:
        """Random unit vectors, [count, d_model]; more of them begin with the same.

        Args:
            count: number of vectors.
            seed: of the draws.
            within: in the span of the principal components of `layer`, not in the whole
                space.
            layer: boundary of the components.
        """
        basis = self.components[layer] if within else None
        width = self.components.shape[-1] if basis is None else len(basis)
        rows = [array_generator(seed, k).standard_normal(width) for k in range(count)]
        drawn = torch.from_numpy(np.array(rows).reshape(count, width)).float()
        if basis is not None:
            drawn = drawn @ basis
        return drawn / drawn.norm(dim=-1, keepdim=True)


def write_directions(directions: Directions, path: str | Path) -> None:
    """Write a sealed file; equal directions give equal bytes."""
    tensors = {
        name: getattr(directions, name)
        for name in ("residual_norms", "mean_norms", "components")
    }
    for group in _BY_NAME:
        for name, values in getattr(directions, group).items():
            tensors[f"{group}/{name}"] = values
    arrays = {
        name: np.ascontiguousarray(values.float().numpy())
        for name, values in sorted(tensors.items())
    }
    write_tensors(arrays, {"model": directions.model}, path)


def read_directions(path: str | Path, model: str | None = None) -> Directions:
    """Read the directions of a study.

    Args:
        path: the file.
        model: name of the model that they must belong to
            (`doubletake.model.interventions.model_name`); None: any.

    Raises:
        InputError: the file is missing or damaged, or belongs to another model.
    """
    arrays, metadata = read_tensors(path)
    if model is not None and metadata["model"] != model:
        raise InputError(
            f"{path}: directions of another model: {metadata['model']!r} instead of "
            f"{model!r}"
        )
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    groups: dict[str, dict[str, torch.Tensor]] = {group: {} for group in _BY_NAME}
    for name, values in tensors.items():
        group, _, key = name.partition("/")
        if key:
            groups[group][key] = values
    return Directions(
        model=metadata["model"],
        residual_norms=tensors["residual_norms"],
        mean_norms=tensors["mean_norms"],
        components=tensors["components"],
        **groups,
    )


def problems_to_test(path: str | Path) -> set[str]:
    """The problems that experiments may use, from the table `directions/problems`.

    Raises:
        InputError: the table is missing or damaged.
    """
    table = DIRECTION_PROBLEMS.read(path)
    return set(table.filter(pl.col("part") == TEST)["problem"])
