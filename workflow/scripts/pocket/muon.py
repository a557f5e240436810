"""The optimizer Muon (Jordan et al. 2024): steps along orthogonalised momentum.

PyTorch's `torch.optim.Muon` orthogonalises in bfloat16. On CPUs without bfloat16 units
this takes twice as long as the model itself. This version stays in float32 and treats
all matrices of one shape at once.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
STEPS = 5


def orthogonalised(matrices: torch.Tensor) -> torch.Tensor:
    """The nearest semi-orthogonal matrices, approximately, `[n, rows, columns]`.

    Five quintic Newton-Schulz steps with Jordan's coefficients: singular values end
    between about 0.7 and 1.2.
    """
    a, b, c = NEWTON_SCHULZ
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum for two-dimensional parameters.

    The root mean square of a step is 0.2 times the step size, about as for AdamW
    (Moonshot's rule). So both optimizers can have similar step sizes.
    """

    def __init__(
        self,
        params: Iterable[torch.nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        """Set up the optimizer for some matrices and a step size."""
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step for every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[torch.nn.Parameter]] = defaultdict(list)
            for param in group["params"]:
                if param.grad is not None:
                    by_shape[param.shape].append(param)
            for shape, params in by_shape.items():
                update = orthogonalised(self._momentum(params, group["momentum"]))
                scale = group["lr"] * 0.2 * max(shape) ** 0.5
                for param, direction in zip(params, update, strict=True):
                    param.mul_(1 - group["lr"] * group["weight_decay"])
                    param.add_(direction, alpha=-scale)

    def _momentum(
        self, params: list[torch.nn.Parameter], momentum: float
    ) -> torch.Tensor:
        """Nesterov's look-ahead gradients of the matrices, `[n, rows, columns]`."""
        ahead = []
        for param in params:
            state = self.state[param]
            if not state:
                state["momentum"] = torch.zeros_like(param)
            assert param.grad is not None
            state["momentum"].lerp_(param.grad, 1 - momentum)
            ahead.append(param.grad.lerp(state["momentum"], momentum))
        return torch.stack(ahead)
