"""The parts of the config that the scripts of looking back read."""

from typing import Any

WORDS = ("top_words", "next_words")
"""Keys of the section `attribution`: the words are those that it has ranked."""


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `measure.py`."""
    keys = dict(config["look_back"])
    keys |= {key: config["attribution"][key] for key in WORDS}
    return keys | {key: config[key] for key in ("batch_memory", "verification")}


def summarise(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `summarise.py`."""
    return {
        "top_words": config["attribution"]["top_words"],
        "intervals": config["intervals"],
    }
