"""Which parts of the config the scripts of faithfulness read."""

from typing import Any

from doubletake.study.settings import answer_prompt


def measure(config: dict[str, Any], model: str) -> dict[str, Any]:
    """Settings of `measure.py`; a model may have a separate answer prompt."""
    return config["faithfulness"] | {
        "answer_prompt": answer_prompt(config, model),
        "answer_stop": config["early_exit"]["answer_stop"],
        "max_tokens": config["trial_points"]["max_tokens"],
        "batch_memory": config["batch_memory"],
        "verification": config["verification"],
    }
