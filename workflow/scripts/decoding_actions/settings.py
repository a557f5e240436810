"""Which parts of the config the scripts of decoding actions read."""

from typing import Any

from doubletake.study.settings import answer_prompt


def measure(config: dict[str, Any], model: str) -> dict[str, Any]:
    """Settings of `measure.py`; a model may have a separate answer prompt."""
    generation = config["generation"]
    sampling = ("temperature", "top_p", "max_new_tokens", "batch_size")
    return config["decoding_actions"] | {
        **{name: generation[name] for name in sampling},
        "generation_seed": generation["seed"],
        "detector": config["events"]["detector"],
        "answer_prompt": answer_prompt(config, model),
        "answer_stop": config["early_exit"]["answer_stop"],
        "trial_tokens": config["trial_points"]["max_tokens"],
        "verification": config["verification"],
    }
