"""Which parts of the config the script of the unmatched probes reads."""

from typing import Any


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `measure.py`."""
    names = ("strengths", "folds", "seed")
    own = {name: config["probing"][name] for name in names}
    return own | {"intervals": config["intervals"]}
