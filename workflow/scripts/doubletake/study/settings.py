"""Checks the config before the first job, and resolves it for each study.

The JSON schema checks the config's shape. This module checks the rest: names must be
defined, files must exist, models must have the files that stages need. It also applies
the overrides of a model. It imports neither torch nor transformers, because it runs at
every start of the workflow.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doubletake.model.folders import check_model
from doubletake.running.errors import InputError
from doubletake.running.home_paths import home_path
from doubletake.study.registry import stages
from doubletake.user_files.opening import files_of


@dataclass(frozen=True)
class ModelSettings:
    """Settings to load a model and its tokenizer: an entry of `models`, completed."""

    source: str
    """A folder or a hub id."""
    revision: str | None
    """Commit on the hub; None for a folder."""
    dtype: str
    """float32, bfloat16 or float16."""
    device: str
    """auto, cpu or cuda."""
    end_of_thought: str | None
    """The marker that closes the thought; None: found in the model's files."""
    template_arguments: dict[str, Any]
    """Extra arguments of the chat template."""
    trust_remote_code: bool = False
    """Whether Python code in the model's folder may run."""
    start_of_thought: str | None = None
    """The marker that opens the thought; empty: no marker; None: the marker that
    belongs to the end marker."""
    open_thought: bool = False
    """Whether to add the start marker to a prompt that does not open the thought."""
    date: str | None = None
    """The date for the chat template (YYYY-MM-DD); None: the date of the run."""


@dataclass(frozen=True)
class Sources:
    """Finds local files: first where Snakemake runs, then in the workflow's folder."""

    roots: tuple[Path, ...]
    """The folder where Snakemake runs, and last the folder of the workflow."""

    def local(self, source: str) -> Path | None:
        """Path of a local source; None if there is no such file or folder."""
        given = home_path(source)
        for root in self.roots:
            if _exists(root / given):
                return given if root == self.roots[0] else self._named(root / given)
        return None

    def own(self, name: str) -> Path:
        """Path of a file or folder of the workflow itself."""
        return self._named(self.roots[-1] / name)

    def _named(self, path: Path) -> Path:
        """A path from the folder where Snakemake runs, if it lies inside this folder.

        Snakemake runs a rule again if a path changes. So a project with the workflow
        inside can be moved.
        """
        if path.is_relative_to(self.roots[0]):
            return path.relative_to(self.roots[0])
        return path

    def resolve(self, key: str, entry: dict[str, Any]) -> str:
        """Local path, or hub id if the entry pins a `revision`.

        Raises:
            InputError: the source is neither a local path nor a pinned hub id.
        """
        source = entry["source"]
        path = self.local(source)
        if path is not None and "revision" in entry:
            raise InputError(
                f"{key}.revision: {source} is a local path, which has no revision"
            )
        if path is not None:
            return input_path(f"{key}.source", str(path))
        if "revision" in entry and source.count("/") == 1 and source[0] not in "./":
            return source
        if "revision" in entry:
            raise InputError(f"{key}.source: {source!r} is not a hub id (owner/name)")
        places = " and ".join(dict.fromkeys(map(str, self.roots)))
        raise InputError(
            f"{key}.source: no such file or folder: {source} (looked in {places}; "
            f"a source on the hub needs a `revision`{_how_to_pin(key, source)})"
        )


def check(config: dict[str, Any], sources: Sources) -> None:
    """Refuse a config that cannot run.

    Raises:
        InputError: the config cannot run. The message names the key and the fault.
    """
    for index, study in enumerate(config["studies"]):
        for kind in ("model", "dataset"):
            name = study[kind]
            if name not in config[f"{kind}s"]:
                defined = ", ".join(sorted(config[f"{kind}s"]))
                raise InputError(
                    f"studies[{index}].{kind}: {name!r} is not defined under "
                    f"{kind}s (defined: {defined})"
                )
    for name in sorted({study["model"] for study in config["studies"]}):
        settings = model_settings(config, name, sources)
        check_model(f"models.{name}", settings, answer_prompt(config, name))
    for name in sorted({study["dataset"] for study in config["studies"]}):
        _check_dataset(config, name, sources)
    labels_file(config, sources)
    for stage in stages():
        for key in stage.config_files:
            named_file(config, key, sources)


def model_settings(
    config: dict[str, Any], name: str, sources: Sources
) -> dict[str, Any]:
    """Settings to load a model and its tokenizer, with defaults and resolved source."""
    entry = config["models"][name]
    return {
        "source": sources.resolve(f"models.{name}", entry),
        "revision": entry.get("revision"),
        "dtype": entry["dtype"],
        "device": entry["device"],
        "end_of_thought": entry.get("end_of_thought"),
        "template_arguments": entry.get("template_arguments", {}),
        "trust_remote_code": entry.get("trust_remote_code", False),
        "start_of_thought": entry.get("start_of_thought"),
        "open_thought": entry.get("open_thought", False),
        "date": entry.get("date"),
    }


def dataset_settings(
    config: dict[str, Any], name: str, sources: Sources
) -> dict[str, Any]:
    """Settings to load a problem set, with defaults and resolved source."""
    entry = config["datasets"][name]
    return {
        "source": sources.resolve(f"datasets.{name}", entry),
        "revision": entry.get("revision"),
        "name": entry.get("name"),
        "split": entry.get("split", "test"),
        "limit": entry.get("limit"),
        "thoughts": entry.get("thoughts", False),
        "columns": entry.get("columns", {}),
        "problems": _problems_file(entry, f"datasets.{name}", sources),
    }


def dataset_files(
    config: dict[str, Any], name: str, sources: Sources
) -> dict[str, str]:
    """Paths of a dataset's local files, by their names in the config.

    Raises:
        InputError: a file does not exist, or has no form that can be read.
    """
    entry, settings = config["datasets"][name], dataset_settings(config, name, sources)
    named: dict[str, str] = {}
    if settings["revision"] is None:
        folder = Path(settings["source"])
        for path in _files(f"datasets.{name}.source", str(folder)):
            inside = "" if path == folder else f"/{path.relative_to(folder)}"
            named[f"{entry['source'].rstrip('/')}{inside}"] = str(path)
    if settings["problems"] is not None:
        named[entry["problems"]] = settings["problems"]
    return named


def answer_prompt(config: dict[str, Any], model: str) -> str:
    """The text that early exit appends to a cut thought; a model may override it."""
    common = config["early_exit"]["answer_prompt"]
    return config["models"][model].get("answer_prompt", common)


def value_of(config: dict[str, Any], key: str) -> Any:
    """Value of a config key, written `section.key`."""
    value: Any = config
    for part in key.split("."):
        value = value[part]
    return value


def named_file(config: dict[str, Any], key: str, sources: Sources) -> str:
    """Path of a file that a key of the config names.

    Args:
        config: the whole config.
        key: sections and name, e.g. `attribution.stop_words`.
        sources: finds local files.

    Raises:
        InputError: the file does not exist.
    """
    name = value_of(config, key)
    path = sources.local(name)
    if path is None or not path.is_file():
        raise InputError(f"{key}: no such file: {name}")
    return input_path(key, str(path))


def labels_file(config: dict[str, Any], sources: Sources) -> str:
    """Path of the labelled traces.

    Raises:
        InputError: the file does not exist, or is not a .jsonl file.
    """
    path = named_file(config, "events.labels", sources)
    if not path.endswith(".jsonl"):
        raise InputError(
            f"events.labels: {config['events']['labels']} is not a .jsonl file"
        )
    return path


def input_path(key: str, path: str) -> str:
    """The path of a rule's input, checked for special characters.

    Raises:
        InputError: the path holds braces or `<`, which Snakemake takes for a wildcard
            or a variable, or a character that a shell interprets even between quotes
            (on a cluster, shells read the path).
    """
    for special, reader in (("{}<", "Snakemake"), ('$`\\"', "a cluster's shell")):
        present = [character for character in special if character in path]
        if present:
            raise InputError(
                f"{key}: {path!r} holds {present[0]}, which has a special meaning for "
                f"{reader}; rename the file or folder"
            )
    return path


def _check_dataset(config: dict[str, Any], name: str, sources: Sources) -> None:
    dataset_files(config, name, sources)
    entry, key = config["datasets"][name], f"datasets.{name}"
    if not entry.get("thoughts"):
        of_thoughts = {"thought", "response", "closed"} & entry.get(
            "columns", {}
        ).keys()
        keys = [f"columns.{role}" for role in sorted(of_thoughts)]
        for extra in [*keys, *(["problems"] if "problems" in entry else [])]:
            raise InputError(f"{key}.{extra}: only for a dataset with `thoughts: true`")
    if {"thought", "response"} <= entry.get("columns", {}).keys():
        raise InputError(
            f"{key}.columns: names both 'thought' and 'response'; a response holds the "
            "thought and the answer, so name one"
        )


def _problems_file(entry: dict[str, Any], key: str, sources: Sources) -> str | None:
    """Path of the file with the golds of imported thoughts."""
    name = entry.get("problems")
    if name is None:
        return None
    path = sources.local(name)
    if path is None or not path.is_file():
        raise InputError(f"{key}.problems: no such file: {name}")
    _files(f"{key}.problems", str(path))
    return input_path(f"{key}.problems", str(path))


def _files(key: str, source: str) -> list[Path]:
    """The files of a source, each checked for special characters in its path."""
    try:
        files = files_of(source)
    except InputError as error:
        raise InputError(f"{key}: {error}") from error
    for file in files:
        input_path(key, str(file))
    return files


def results_folder(config: dict[str, Any]) -> str:
    """Folder of all results, from the folder where Snakemake runs.

    Raises:
        InputError: its path holds a character that Snakemake or a shell interprets.
    """
    return os.path.normpath(input_path("results", str(home_path(config["results"]))))


def _how_to_pin(key: str, source: str) -> str:
    """How to get the commit of a source that looks like a hub id; else empty."""
    if source.count("/") != 1 or source[0] in "./~":
        return ""
    kind = "datasets/" if key.startswith("datasets.") else ""
    url = f"https://huggingface.co/{kind}{source}"
    return f", the commit id that `git ls-remote {url} HEAD` prints"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # e.g. the name is too long
        return False
