"""Which parts of the config the scripts of resampling read."""

from typing import Any


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `measure.py`."""
    generation = config["generation"]
    sampling = ("temperature", "top_p", "max_new_tokens", "batch_size")
    own = {k: v for k, v in config["resampling"].items() if k not in SUMMARY_KEYS}
    return own | {
        **{name: generation[name] for name in sampling},
        "generation_seed": generation["seed"],
        "detector": config["events"]["detector"],
        "batch_memory": config["batch_memory"],
        "confidence": config["intervals"]["confidence"],
        "verification": config["verification"],
    }


SUMMARY_KEYS = ("stable_share", "similarity")
"""Keys that only `summarise.py` reads."""


def summarise(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `summarise.py`."""
    keys = (*SUMMARY_KEYS, "seed")
    return {name: config["resampling"][name] for name in keys}
