"""Which parts of the config the scripts of exit policies read."""

from typing import Any

from doubletake.study.settings import answer_prompt


def summarise(config: dict[str, Any], model: str) -> dict[str, Any]:
    """Settings of `summarise.py`."""
    return {
        "answer_prompt": answer_prompt(config, model),
        "kinds": config["trial_points"]["kinds"],
        "every": config["trial_points"]["every"],
        "lynx_delta": config["exit_policies"]["lynx_delta"],
        "seed": config["exit_policies"]["seed"],
        "tolerance": config["exit_policies"]["tolerance"],
        "intervals": config["intervals"],
    }


def plot(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `plot.py`."""
    section = config["exit_policies"]
    return {
        "seed": section["seed"],
        "tolerance": section["tolerance"],
        "confidence": config["intervals"]["confidence"],
    }
