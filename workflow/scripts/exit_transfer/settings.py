"""Which parts of the config the scripts of exit transfer read."""

from typing import Any

from doubletake.study.settings import answer_prompt


def summarise(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of `summarise.py`, on all studies of the config."""
    studies = config["studies"]
    return {
        "studies": [f"{study['model']}/{study['dataset']}" for study in studies],
        "answer_prompts": [answer_prompt(config, study["model"]) for study in studies],
        "kinds": config["trial_points"]["kinds"],
        "every": config["trial_points"]["every"],
        "seed": config["exit_policies"]["seed"],
        "intervals": config["intervals"],
    }
