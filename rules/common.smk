"""Studies, targets, input functions and wildcard constraints of all rule files."""

import os
import re
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

# The code of this checkout, here and in the jobs that start from here.
SCRIPTS = str(Path(workflow.basedir) / "workflow/scripts")
sys.path.insert(0, SCRIPTS)
# Jobs end when the process that DOUBLETAKE_RUN names is gone.
os.environ.update(PYTHONPATH=SCRIPTS, DOUBLETAKE_RUN=str(os.getpid()))

from snakemake.exceptions import WorkflowError

from doubletake.study import registry
from doubletake.study import settings as studies
from doubletake.model.folders import weight_files
from doubletake.running.digests import code_digest
from doubletake.running.errors import InputError
from doubletake.study.shards import shard_names
from doubletake.running.visible_text import visible
from doubletake.study.config_schema import check_shape
from doubletake.study.outputs import outputs_of_all, study_files

ENVIRONMENT = Path(workflow.basedir) / "envs/doubletake.yaml"
SOURCES = studies.Sources((Path.cwd(), Path(workflow.basedir)))

try:
    check_shape(config)
    studies.check(config, SOURCES)
except InputError as error:
    raise WorkflowError(visible(f"config: {error}")) from None


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


def parts_of(stage):
    """Inputs of the job that joins a stage's shards, by table."""
    return {
        table.key: shards_of(f"results/{{model}}/{{dataset}}/{table.part(stage.name)}")
        for table in stage.shards
    }


def joined_by(stage):
    """Outputs of that job, by table."""
    return {
        table.key: f"results/{{model}}/{{dataset}}/{table.file(stage.name)}"
        for table in stage.shards
    }


def settings_of(section, *shared):
    """A section of the config, and others that a script reads, under their names."""
    return config[section] | {name: config[name] for name in shared}


def files_of(wildcards):
    """Everything that a study leaves, and the settings that made it."""
    study = {"model": wildcards.model, "dataset": wildcards.dataset}
    return study_files(config, SOURCES, study)


def left_by(stage):
    """Everything that a stage or experiment leaves, of every study of the config."""
    names = stage.files(shard_names(config["shards"]))
    return expand("{folder}/{name}", folder=of_studies(), name=names)


def of_studies():
    """Folders of every study of the config."""
    return [files_of(SimpleNamespace(**study)).folder for study in config["studies"]]


def figures_of(name):
    """Outputs of the rule that draws an experiment's figures, for Snakemake's report."""
    experiment = registry.stage_named(name)
    return {
        figure.name: report(
            f"results/{{model}}/{{dataset}}/{name}/{figure.name}.svg",
            caption="../workflow/report/figure.rst",
            category=experiment.title,
            subcategory="{model} on {dataset}",
            labels={"figure": figure.title},
        )
        for figure in experiment.figures
    }


def captions_of(name):
    """Captions of an experiment's figures, by title."""
    figures = registry.stage_named(name).figures
    return {figure.title: figure.caption for figure in figures}
