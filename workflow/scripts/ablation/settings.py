"""Which parts of the config the script of the ablation reads."""

from typing import Any


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `measure.py`."""
    generation = config["generation"]
    sampling = ("temperature", "top_p", "max_new_tokens", "batch_size")
    return config["ablation"] | {
        **{name: generation[name] for name in sampling},
        "generation_seed": generation["seed"],
        "detector": config["events"]["detector"],
        "batch_memory": config["batch_memory"],
        "verification": config["verification"],
    }
