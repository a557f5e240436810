"""What the config means: checked before the first job, resolved for each study.

The JSON schema checks the config's shape; this module checks what a schema cannot say
(names that must be defined, files that must exist, models that must have what the
stages need) and merges a model's overrides. No torch and no transformers here: it runs
whenever the workflow starts.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doubletake.architectures import LAYOUTS
from doubletake.errors import InputError
from doubletake.remote_code import refuse_code

END_OF_THOUGHT = "</think>"
TABLE_SUFFIXES = (".jsonl", ".parquet")
PICKLES = {".bin", ".ckpt", ".pkl", ".pt", ".pth"}
WEIGHTS_INDEX = "model.safetensors.index.json"


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
    end_of_thought: str
    """The marker that closes the thought."""
    template_arguments: dict[str, Any]
    """Extra arguments of the chat template."""
    trust_remote_code: bool = False
    """Whether code that the model brings along may run."""


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
        _check_model(config, name, sources)
    for name in sorted({study["dataset"] for study in config["studies"]}):
        _check_dataset(config["datasets"][name], f"datasets.{name}", sources)
    labels_file(config, sources)
    stop_words_file(config, sources)


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
        "end_of_thought": entry.get("end_of_thought", END_OF_THOUGHT),
        "template_arguments": entry.get("template_arguments", {}),
        "trust_remote_code": entry.get("trust_remote_code", False),
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


def detection_settings(config: dict[str, Any]) -> dict[str, Any]:
    """The part of `events` that decides which events are found."""
    return {key: config["events"][key] for key in ("detector", "seed")}


def labels_file(config: dict[str, Any], sources: Sources) -> str:
    """Path of the labelled traces.

    Raises:
        InputError: there is no such file, or it is no .jsonl file.
    """
    labels = config["events"]["labels"]
    path = sources.local(labels)
    if path is None or not path.is_file():
        raise InputError(f"events.labels: no such file: {labels}")
    if path.suffix != ".jsonl":
        raise InputError(f"events.labels: {labels} is no .jsonl file")
    return input_path("events.labels", str(path))


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


def early_exit_settings(config: dict[str, Any], model: str) -> dict[str, Any]:
    """The part of `early_exit` that the computation reads, with overrides."""
    section = config["early_exit"]
    keys = ("answer_stop", "max_answer_tokens")
    prompt = config["models"][model].get("answer_prompt", section["answer_prompt"])
    own = {"answer_prompt": prompt, **{key: section[key] for key in keys}}
    return own | {"verification": config["verification"]}


def early_exit_plot_settings(config: dict[str, Any]) -> dict[str, Any]:
    """The part of `early_exit` that its figures read."""
    own = {key: config["early_exit"][key] for key in ("groups", "calibration_bins")}
    return own | config["intervals"]


def attribution_settings(config: dict[str, Any]) -> dict[str, Any]:
    """The part of `attribution` that the computation reads, and what stages share."""
    others = ("top_words", "next_words", "stop_words", "heat_maps")
    section = config["attribution"].items()
    own = {key: value for key, value in section if key not in others}
    shared = ("batch_memory", "verification")
    return own | {key: config[key] for key in shared}


def attribution_summary_settings(config: dict[str, Any]) -> dict[str, Any]:
    """The part of `attribution` that its summary reads."""
    own = {key: config["attribution"][key] for key in ("top_words", "next_words")}
    return own | {"intervals": config["intervals"]}


def stop_words_file(config: dict[str, Any], sources: Sources) -> str:
    """Path of the list of stop words.

    Raises:
        InputError: there is no such file.
    """
    name = config["attribution"]["stop_words"]
    path = sources.local(name)
    if path is None or not path.is_file():
        raise InputError(f"attribution.stop_words: no such file: {name}")
    return input_path("attribution.stop_words", str(path))


def shard_names(count: int) -> list[str]:
    """Names of the shards: 1-of-4, 2-of-4, ..."""
    return [f"{k}-of-{count}" for k in range(1, count + 1)]


def in_shard(index: int, shard: str) -> bool:
    """Whether the item at this place of its table belongs to the shard."""
    k, _, count = shard.partition("-of-")
    return index % int(count) == int(k) - 1


def _check_dataset(entry: dict[str, Any], key: str, sources: Sources) -> None:
    source = sources.resolve(key, entry)
    if "revision" in entry:
        if entry.get("thoughts"):
            raise InputError(f"{key}.thoughts: thoughts are imported from local files")
        return
    if not source.endswith(TABLE_SUFFIXES):
        raise InputError(f"{key}.source: {source} is neither .jsonl nor .parquet")


def _check_model(config: dict[str, Any], name: str, sources: Sources) -> None:
    key = f"models.{name}"
    settings = model_settings(config, name, sources)
    marker = settings["end_of_thought"]
    prompt = early_exit_settings(config, name)["answer_prompt"]
    if prompt.count(marker) != 1:
        raise InputError(
            f"early_exit.answer_prompt: must hold the end-of-thought marker {marker!r} "
            f"of model {name} once, but is {prompt!r}"
        )
    if settings["revision"] is None:
        folder = Path(settings["source"])
        _check_model_folder(folder, key, marker)
        _check_weights(folder, key)
        configs = [folder / "config.json", folder / "tokenizer_config.json"]
        found = [read_json(path) for path in configs if path.is_file()]
        refuse_code(f"{key}.source: {folder}", settings["trust_remote_code"], *found)


def _check_model_folder(folder: Path, key: str, marker: str) -> None:
    """What can be known of a local model without loading it."""
    for name in ("config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise InputError(f"{key}.source: {folder} has no {name}")
    architecture = read_json(folder / "config.json").get("model_type")
    if architecture not in LAYOUTS:
        raise InputError(
            f"{key}.source: unsupported architecture {architecture!r} in "
            f"{folder}/config.json (supported: {', '.join(sorted(LAYOUTS))})"
        )
    added = read_json(folder / "tokenizer.json").get("added_tokens", [])
    if marker not in {token["content"] for token in added}:
        raise InputError(
            f"{key}: the tokenizer in {folder} has no token {marker!r} "
            "(set end_of_thought)"
        )
    tokenizer_config = folder / "tokenizer_config.json"
    has_template = (folder / "chat_template.jinja").is_file() or (
        tokenizer_config.is_file() and "chat_template" in read_json(tokenizer_config)
    )
    if not has_template:
        raise InputError(f"{key}: the tokenizer in {folder} has no chat template")


def _check_weights(folder: Path, key: str) -> None:
    """Whether the weights are all there, in a format that is only data."""
    if not any(folder.glob("*.safetensors")):
        pickled = sorted(
            path.name for path in folder.glob("*") if path.suffix in PICKLES
        )
        if pickled:
            raise InputError(
                f"{key}.source: {folder} has only pickled weights "
                f"({', '.join(pickled)}), which can run code when they are opened, so "
                "they never are; convert them where that may happen: "
                "AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW)"
            )
        raise InputError(f"{key}.source: {folder} has no weights (*.safetensors)")
    index = folder / WEIGHTS_INDEX
    if not index.is_file():
        return
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict):
        raise InputError(f"{index}: no weight_map")
    for name in sorted({str(name) for name in places.values()}):
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise InputError(
                f"{index}: {name!r} is no name of a safetensors file beside it"
            )
        if not (folder / name).is_file():
            raise InputError(
                f"{key}.source: {folder} lacks {name}, which {index} names"
            )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        InputError: the file cannot be read, or holds none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a JSON object")
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have, e.g. too long
        return False
