"""P-values of several rules, corrected for their number."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from doubletake.stats.holm import holm
from exit_policies.tables import TESTED


def corrected(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with each p-value corrected for the number of tested ones (Holm).

    Args:
        rows: of `POLICIES`, all rules that one sentence or one figure counts. The
            p-value of `change` is in `change_p`, and goes to `change_holm`.
    """
    changed = [dict(row) for row in rows]
    for name in TESTED:
        tested = [row for row in changed if row.get(f"{name}_p") is not None]
        values = holm(np.array([row[f"{name}_p"] for row in tested], dtype=float))
        for row, value in zip(tested, values, strict=True):
            row[f"{name}_holm"] = float(value)
    return changed
