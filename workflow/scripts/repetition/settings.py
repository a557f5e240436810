"""Which parts of the config the scripts of repetition read."""

from typing import Any

from doubletake.study.settings import answer_prompt


def measure(config: dict[str, Any], model: str) -> dict[str, Any]:
    """Settings of `measure.py`; answers are forced as in `early_exit`."""
    exits = config["early_exit"]
    return config["repetition"] | {
        "answer_prompt": answer_prompt(config, model),
        "answer_stop": exits["answer_stop"],
        "max_answer_tokens": exits["max_answer_tokens"],
        "batch_memory": config["batch_memory"],
        "verification": config["verification"],
    }
