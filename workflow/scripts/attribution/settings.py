"""The parts of the config that each attribution script reads."""

from typing import Any

LATER_KEYS = ("top_words", "next_words", "stop_words", "heat_maps")
"""Keys that only later scripts read, not `measure.py`."""


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `measure.py`, with the keys that several stages share."""
    section = config["attribution"].items()
    keys = {key: value for key, value in section if key not in LATER_KEYS}
    keys["least_problems"] = config["intervals"]["least_problems"]
    return keys | {key: config[key] for key in ("batch_memory", "verification")}


def summarise(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `summarise.py`."""
    keys = {key: config["attribution"][key] for key in ("top_words", "next_words")}
    return keys | {"intervals": config["intervals"]}


def plot(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `plot.py`."""
    return {
        "method": config["attribution"]["method"],
        "metric": config["attribution"]["metric"],
        "confidence": config["intervals"]["confidence"],
    }
