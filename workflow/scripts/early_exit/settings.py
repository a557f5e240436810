"""Which parts of the config the scripts of early exit read."""

from typing import Any

from doubletake.study.settings import answer_prompt


def measure(config: dict[str, Any], model: str) -> dict[str, Any]:
    """Settings of `measure.py`; a model may have a separate answer prompt."""
    section = config["early_exit"]
    return {
        "answer_prompt": answer_prompt(config, model),
        "answer_stop": section["answer_stop"],
        "max_answer_tokens": section["max_answer_tokens"],
        "batch_memory": config["batch_memory"],
        "verification": config["verification"],
    }


def summarise(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `summarise.py`."""
    section = config["early_exit"]
    selected = {key: section[key] for key in ("groups", "calibration_bins")}
    return selected | config["intervals"]


def plot(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `plot.py`."""
    return {
        "groups": config["early_exit"]["groups"],
        **config["intervals"],
    }
