"""Input functions and wildcard constraints for all rule files."""

import re
from dataclasses import asdict
from types import SimpleNamespace

from doubletake.model.folders import card_files, weight_files
from doubletake.running.digests import Digests
from doubletake.study import registry
from doubletake.study.outputs import study_files
from doubletake.study.shards import shard_names

ENVIRONMENT = HERE / "envs/doubletake.yaml"
DIGESTS = Digests()


wildcard_constraints:
    model="|".join(map(re.escape, config["models"])),
    dataset="|".join(map(re.escape, config["datasets"])),
    shard=r"\d+-of-\d+",


def model_settings(wildcards):
    """Settings to load the study's model."""
    return studies.model_settings(config, wildcards.model, SOURCES)


def dataset_settings(wildcards):
    """Settings to load the study's problems or thoughts."""
    return studies.dataset_settings(config, wildcards.dataset, SOURCES)


def tokenizer_files(wildcards):
    """Tokenizer files of a local model, as inputs: jobs rerun when they change."""
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
    """Files of a local model, as inputs: jobs rerun when they change."""
    settings = model_settings(wildcards)
    if settings["revision"] is not None:
        return []
    folder = Path(settings["source"])
    # The generation config holds the tokens that end a completion.
    names = [folder / "config.json", folder / "generation_config.json"]
    configs = [path for path in names if path.exists()]
    weights = weight_files(folder)
    code = sorted(folder.glob("*.py")) if settings["trust_remote_code"] else []
    return [*configs, *weights, *code, *tokenizer_files(wildcards)]


def dataset_files(wildcards):
    """The local files of a dataset; an empty list for a dataset on the hub."""
    return list(studies.dataset_files(config, wildcards.dataset, SOURCES).values())


def datasets_with(thoughts):
    """Regular expression of all datasets with (or without) imported thoughts."""
    entries = config["datasets"].items()
    names = [
        name for name, entry in entries if entry.get("thoughts", False) == thoughts
    ]
    return "|".join(map(re.escape, names)) or "(?!)"


def gpus(wildcards):
    """Number of GPUs for a job with the study's model; the profile limits the sum."""
    return 0 if config["models"][wildcards.model]["device"] == "cpu" else 1


def growing(amount):
    """A resource that grows by the same amount with every attempt."""
    return lambda wildcards, attempt: amount * attempt


def shards_of(pattern):
    """Input function that gives one file per shard, from a pattern with {shard}."""

    def files(wildcards):
        names = shard_names(config["shards"])
        return expand(pattern, **(dict(wildcards.items()) | {"shard": names}))

    return files


def parts_of(stage):
    """Inputs of the job that joins the shards of a stage, by table."""
    return {
        table.key: shards_of(
            f"<results>/{{model}}/{{dataset}}/{table.part(stage.name)}"
        )
        for table in stage.shards
    }


def joined_by(stage):
    """Outputs of the job that joins the shards of a stage, by table."""
    return {
        table.key: f"<results>/{{model}}/{{dataset}}/{table.file(stage.name)}"
        for table in stage.shards
    }


def code_digest(script, *modules):
    """Param of a rule: the digest of its script's code, when this start needs it.

    All jobs of the plan need theirs before the first one begins. A job on a cluster,
    for which Snakemake starts twice, needs no other.
    """
    return lambda wildcards: DIGESTS.of(script, *modules)


def settings_of(section, *shared):
    """Settings of a section, and whole other sections under their names."""
    return config[section] | {name: config[name] for name in shared}


def files_of(wildcards):
    """Result files and settings of a study."""
    study = {"model": wildcards.model, "dataset": wildcards.dataset}
    return study_files(config, SOURCES, study)


def left_by(stage):
    """All result files of a stage or experiment, for all studies of the config."""
    names = stage.files(shard_names(config["shards"]))
    return expand("{folder}/{name}", folder=study_folders(), name=names)


def study_folders():
    """Folders of all studies of the config."""
    return [files_of(SimpleNamespace(**study)).folder for study in config["studies"]]


def figures_of(name):
    """Outputs of the rule that draws an experiment's figures, with their captions."""
    experiment = registry.stage_named(name)
    return {
        figure.name: report(
            f"<results>/{{model}}/{{dataset}}/{name}/{figure.name}.svg",
            caption="../workflow/report/figure.rst",
            category=experiment.title,
            subcategory="{model} on {dataset}",
            labels={"figure": figure.title},
        )
        for figure in experiment.figures
    }


def captions_of(name):
    """Captions of an experiment's figures by their titles, as reStructuredText."""
    figures = registry.stage_named(name).figures
    return {
        figure.title: re.sub(r"([|*_`])", r"\\\1", figure.caption) for figure in figures
    }
