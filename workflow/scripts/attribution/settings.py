"""Which parts of the config the scripts of attribution read."""

from typing import Any

LATER = ("top_words", "next_words", "stop_words", "heat_maps")
"""Keys that `measure.py` does not read."""


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Of `measure.py`, with what stages share."""
    section = config["attribution"].items()
    own = {key: value for key, value in section if key not in LATER}
    return own | {key: config[key] for key in ("batch_memory", "verification")}


def summarise(config: dict[str, Any]) -> dict[str, Any]:
    """Of `summarise.py`."""
    own = {key: config["attribution"][key] for key in ("top_words", "next_words")}
    return own | {"intervals": config["intervals"]}


def plot(config: dict[str, Any]) -> dict[str, Any]:
    """Of `plot.py`."""
    return {
        "method": config["attribution"]["method"],
        "metric": config["attribution"]["metric"],
        "confidence": config["intervals"]["confidence"],
    }
