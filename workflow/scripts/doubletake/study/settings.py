"""What the config means: checked before the first job, resolved for each study.

The JSON schema checks the config's shape; this module checks what a schema cannot say
(names that must be defined, files that must exist, models that must have what the
stages need) and merges a model's overrides. No torch and no transformers here: it runs
whenever the workflow starts.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doubletake.model.folders import check_model
from doubletake.running.errors import InputError
from doubletake.study.registry import stages

TABLE_SUFFIXES = (".jsonl", ".parquet")


@dataclass(frozen=True)
class ModelSettings:
    """What loads a model and its tokenizer: a `models` entry, defaults filled in."""

    source: str
    """Folder, or hub id."""
    revision: str | None
    """Commit on the hub; None for a folder."""
    dtype: str
    """float32, bfloat16 or float16."""
    device: str
    """auto, cpu or cuda."""
    end_of_thought: str | None
    """The marker that closes the thought; None: as the model's files show."""
    template_arguments: dict[str, Any]
    """Extra arguments of the chat template."""
    trust_remote_code: bool = False
    """Whether code that the model brings along may run."""
    start_of_thought: str | None = None
    """The marker that opens the thought; empty: none; None: the one that belongs to the
    end marker."""
    open_thought: bool = False
    """Whether a prompt that does not open the thought gets the start marker."""
    date: str | None = None
    """The date that the chat template is given (YYYY-MM-DD); None: today's."""


@dataclass(frozen=True)
class Sources:
    """Finds local sources: first where Snakemake runs, then beside the Snakefile."""

    roots: tuple[Path, ...]

    def local(self, source: str) -> Path | None:
        """Path of a local source, None if there is none of that name."""
        for root in self.roots:
            path = root / source
            if _exists(path):
                return path if root != self.roots[0] else Path(source)
        return None

    def resolve(self, key: str, entry: dict[str, Any]) -> str:
        """Local path, or hub id if the entry pins a `revision`.

        Raises:
            InputError: neither a file nor a pinned hub id.
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
            raise InputError(f"{key}.source: {source!r} is no hub id (owner/name)")
        raise InputError(
            f"{key}.source: no such file or folder: {source} "
            "(a source on the hub needs a `revision`)"
        )


def check(config: dict[str, Any], sources: Sources) -> None:
    """Refuse a config that cannot run.

    Raises:
        InputError: names the key and what is wrong with it.
    """
    for index, study in enumerate(config["studies"]):
        for kind in ("model", "dataset"):
            name = study[kind]
            if name not in config[f"{kind}s"]:
                known = ", ".join(sorted(config[f"{kind}s"]))
                raise InputError(
                    f"studies[{index}].{kind}: {name!r} is not defined under "
                    f"{kind}s (known: {known})"
                )
    for name in sorted({study["model"] for study in config["studies"]}):
        settings = model_settings(config, name, sources)
        check_model(f"models.{name}", settings, answer_prompt(config, name))
    for name in sorted({study["dataset"] for study in config["studies"]}):
        _check_dataset(config["datasets"][name], f"datasets.{name}", sources)
    labels_file(config, sources)
    for stage in stages():
        for key in stage.config_files:
            named_file(config, key, sources)


def model_settings(
    config: dict[str, Any], name: str, sources: Sources
) -> dict[str, Any]:
    """What loads a model and its tokenizer: defaults filled in, source resolved."""
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
    """What loads a problem set: defaults filled in, source resolved."""
    entry = config["datasets"][name]
    return {
        "source": sources.resolve(f"datasets.{name}", entry),
        "revision": entry.get("revision"),
        "name": entry.get("name"),
        "split": entry.get("split", "test"),
        "limit": entry.get("limit"),
        "thoughts": entry.get("thoughts", False),
    }


def answer_prompt(config: dict[str, Any], model: str) -> str:
    """What early exit appends where it cuts a thought; a model may have its own."""
    common = config["early_exit"]["answer_prompt"]
    return config["models"][model].get("answer_prompt", common)


def value_of(config: dict[str, Any], key: str) -> Any:
    """Value of a key of the config, written `section.key`."""
    value: Any = config
    for part in key.split("."):
        value = value[part]
    return value


def named_file(config: dict[str, Any], key: str, sources: Sources) -> str:
    """Path of a file that a key of the config names.

    Args:
        config: as loaded.
        key: its sections and its name, `attribution.stop_words`.
        sources: where files are looked for.

    Raises:
        InputError: there is no such file.
    """
    name = value_of(config, key)
    path = sources.local(name)
    if path is None or not path.is_file():
        raise InputError(f"{key}: no such file: {name}")
    return input_path(key, str(path))


def labels_file(config: dict[str, Any], sources: Sources) -> str:
    """Path of the labelled traces.

    Raises:
        InputError: there is no such file, or it is no .jsonl file.
    """
    path = named_file(config, "events.labels", sources)
    if not path.endswith(".jsonl"):
        raise InputError(
            f"events.labels: {config['events']['labels']} is no .jsonl file"
        )
    return path


def input_path(key: str, path: str) -> str:
    """The path of a rule's input.

    Raises:
        InputError: it holds braces, which Snakemake takes for a wildcard, or what a
            shell obeys even between quotes: on a cluster shells read the path.
    """
    for characters, reader in (("{}", "Snakemake"), ('$`\\"', "a cluster's shell")):
        found = [character for character in characters if character in path]
        if found:
            raise InputError(
                f"{key}: {path!r} holds {found[0]}, which {reader} reads as more than "
                "a character; rename it"
            )
    return path


def _check_dataset(entry: dict[str, Any], key: str, sources: Sources) -> None:
    source = sources.resolve(key, entry)
    if "revision" in entry:
        if entry.get("thoughts"):
            raise InputError(f"{key}.thoughts: thoughts are imported from local files")
        return
    if not source.endswith(TABLE_SUFFIXES):
        raise InputError(f"{key}.source: {source} is neither .jsonl nor .parquet")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have, e.g. too long
        return False
