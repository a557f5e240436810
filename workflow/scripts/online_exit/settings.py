"""Which parts of the config the scripts of online exit read."""

from typing import Any

from doubletake.study.settings import answer_prompt


def measure(config: dict[str, Any], model: str, dataset: str) -> dict[str, Any]:
    """Settings of `measure.py`; `generation` is null where thoughts come from files."""
    imported = config["datasets"][dataset].get("thoughts", False)
    points = config["trial_points"]
    return config["online_exit"] | {
        "kinds": points["kinds"],
        "every": points["every"],
        "max_tokens": points["max_tokens"],
        "answer_prompt": answer_prompt(config, model),
        "answer_stop": config["early_exit"]["answer_stop"],
        "batch_memory": config["batch_memory"],
        "group_seed": config["exit_policies"]["seed"],
        "generation": None if imported else config["generation"],
    }
