"""The file of a shard of the activation cache: its tensors, types and shapes.

`row` is the row in `ACTIVATION_INDEX`, d = d_model. The first three tensors have the
model's dtype:

    resid           [row, n_layers + 1, d]  residual stream at every layer boundary;
                                            the last is the input of the final norm
    attn_out        [row, n_layers, d]      what attention adds to it
    mlp_out         [row, n_layers, d]      what the MLP adds to it
    final_scale     [row]                   float32, rsqrt(mean(resid²) + eps) of the
                                            final norm
    mean_resid_sum  [n_layers + 1, d]       float64, sum of resid over the thought
                                            tokens of the shard's calibration problems
    mean_resid_count [1]                    int64, number of these tokens
    mean_attn_out_sum [n_layers, d]         float64, sum of attn_out over the same
                                            tokens; the sum of mlp_out follows from the
                                            two: resid[l + 1] - resid[l] - attn_out[l]

Digests of all of them are added (`doubletake.tensors.row_files`).
"""

from dataclasses import dataclass

import torch

from doubletake.tensors.row_files import Shapes

FORMAT = "2"
"""Version of the format; readers refuse other versions."""
PER_ROW = ("resid", "attn_out", "mlp_out", "final_scale")
"""Tensors with one entry per row."""


@dataclass(frozen=True)
class ShardSizes:
    """Sizes that decide the shapes of a shard's tensors."""

    rows: int
    n_layers: int
    d_model: int

    def tensors(self, dtype: torch.dtype) -> Shapes:
        """Type and shape of every tensor, in the order of the file.

        The widest types come first, which keeps the file aligned.
        """
        rows, layers, d = self.rows, self.n_layers, self.d_model
        return {
            "mean_resid_sum": (torch.float64, [layers + 1, d]),
            "mean_attn_out_sum": (torch.float64, [layers, d]),
            "mean_resid_count": (torch.int64, [1]),
            "final_scale": (torch.float32, [rows]),
            "resid": (dtype, [rows, layers + 1, d]),
            "attn_out": (dtype, [rows, layers, d]),
            "mlp_out": (dtype, [rows, layers, d]),
        }
