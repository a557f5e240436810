"""Which parts of the config the scripts of exit guarantees read."""

from typing import Any

from doubletake.study.settings import answer_prompt


def summarise(config: dict[str, Any], model: str) -> dict[str, Any]:
    """Settings of `summarise.py`."""
    return {
        "answer_prompt": answer_prompt(config, model),
        "kinds": config["trial_points"]["kinds"],
        "every": config["trial_points"]["every"],
        "seed": config["exit_policies"]["seed"],
        **config["exit_guarantees"],
        "intervals": config["intervals"],
    }
