"""Studies, targets, input functions and wildcard constraints of all rule files."""

import os
import re
import sys
from dataclasses import asdict
from pathlib import Path

# The code of this checkout, here and in the jobs that start from here.
SCRIPTS = str(Path(workflow.basedir) / "workflow/scripts")
sys.path.insert(0, SCRIPTS)
os.environ["PYTHONPATH"] = SCRIPTS

from snakemake.exceptions import WorkflowError

from doubletake.running import stale_locks
from doubletake.study import settings as studies
from doubletake.running.digests import code_digest
from doubletake.running.errors import InputError
from doubletake.study.outputs import study_files
from doubletake.study.shards import shard_names
from doubletake.running.foreign_text import visible
from doubletake.model.folders import weight_files

STUDY = "results/{model}/{dataset}"
ENVIRONMENT = Path(workflow.basedir) / "envs/doubletake.yaml"
SOURCES = studies.Sources((Path.cwd(), Path(workflow.basedir)))

try:
    studies.check(config, SOURCES)
except InputError as error:
    raise WorkflowError(visible(f"config: {error}")) from None

# Held as long as this process lives.
ALIVE, STALE_LOCKS = stale_locks.clear_stale(Path.cwd() / ".snakemake")
if STALE_LOCKS:
    logger.info("Removed the lock of a killed run; no other Snakemake lives here.")


onstart:
    stale_locks.name_owner(ALIVE, jobs_here=workflow.local_exec)


wildcard_constraints:
    model="|".join(map(re.escape, config["models"])),
    dataset="|".join(map(re.escape, config["datasets"])),
    shard=r"\d+-of-\d+",


def model_settings(wildcards):
    """What loads the study's model."""
    return studies.model_settings(config, wildcards.model, SOURCES)


def dataset_settings(wildcards):
    """What loads the study's problems or thoughts."""
    return studies.dataset_settings(config, wildcards.dataset, SOURCES)


def tokenizer_files(wildcards):
    """The tokenizer of a local model, so that a new one reruns what used the old."""
    settings = model_settings(wildcards)
    names = [
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "special_tokens_map.json",
        "added_tokens.json",
    ]
    paths = [Path(settings["source"]) / name for name in names]
    return [] if settings["revision"] else [path for path in paths if path.exists()]


def model_files(wildcards):
    """The files of a local model, so that new weights rerun what used the old."""
    settings = model_settings(wildcards)
    if settings["revision"] is not None:
        return []
    folder = Path(settings["source"])
    # The generation config says which tokens end a thought.
    names = [folder / "config.json", folder / "generation_config.json"]
    configs = [path for path in names if path.exists()]
    weights = weight_files(folder)
    code = sorted(folder.glob("*.py")) if settings["trust_remote_code"] else []
    return [*configs, *weights, *code, *tokenizer_files(wildcards)]


def dataset_file(wildcards):
    """The file of a local dataset; nothing for one on the hub."""
    settings = dataset_settings(wildcards)
    return [settings["source"]] if settings["revision"] is None else []


def datasets_with(thoughts):
    """Regular expression of the datasets whose thoughts are imported, or are not."""
    entries = config["datasets"].items()
    names = [
        name for name, entry in entries if entry.get("thoughts", False) == thoughts
    ]
    return "|".join(map(re.escape, names)) or "(?!)"


def gpus(wildcards):
    """GPUs that a job of the study's model takes; their number is the profile's."""
    return 0 if config["models"][wildcards.model]["device"] == "cpu" else 1


def growing(amount):
    """A resource of which every further attempt asks for as much again."""
    return lambda wildcards, attempt: amount * attempt


def shards_of(pattern):
    """Input function: one file per shard; {shard} of the pattern is filled in."""

    def files(wildcards):
        names = shard_names(config["shards"])
        return expand(pattern, **(dict(wildcards.items()) | {"shard": names}))

    return files


def files_of(wildcards):
    """Everything that a study leaves, and the settings that made it."""
    study = {"model": wildcards.model, "dataset": wildcards.dataset}
    return study_files(config, SOURCES, study, STUDY.format(**study))


def all_results():
    """Everything that the studies of the config leave, but their manifests."""
    files = [
        study_files(config, SOURCES, study, STUDY.format(**study))
        for study in config["studies"]
    ]
    return [path for study in files for path in study.outputs]


def of_experiment(section):
    """Everything that an experiment leaves, of every study of the config."""
    return [
        f"{STUDY.format(**study)}/{name}"
        for study in config["studies"]
        for name in section.outputs
    ]


def of_studies(pattern):
    """Files of every study of the config; {model} and {dataset} are filled in."""
    return [pattern.format(**study) for study in config["studies"]]
