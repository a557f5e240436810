"""Checks the folder of a local model without loading it, before the first job.

This module imports neither torch nor transformers, because it runs at every start of
the workflow.
"""

import datetime
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from doubletake.model.adapters import adapter_files, refuse_adapter
from doubletake.model.foreign_files import (
    base_model,
    refuse_file,
    refuse_incomplete,
    weights_instead,
)
from doubletake.model.refused_configs import WEIGHTS, refuse_config, refuse_quantised
from doubletake.model.weight_headers import check_headers
from doubletake.running.errors import InputError
from doubletake.running.json_files import read_json
from doubletake.text.chat_templates import (
    QUESTION,
    added_tokens,
    chat_template,
    rendered_prompts,
    with_pinned_date,
)
from doubletake.text.known_formats import check_marker, format_of_model
from doubletake.text.remote_code import CONFIGS, refuse_code
from doubletake.text.thought_format import ThoughtFormat, filled_answer_prompt

RESERVED = {
    *("messages", "conversation", "add_generation_prompt", "continue_final_message"),
    *("tokenize", "chat_template", "return_dict", "return_tensors", "tools"),
}
"""Arguments of transformers' own function, which a config must not set."""
WEIGHTS_INDEX = "model.safetensors.index.json"


def check_model(key: str, settings: dict[str, Any], prompt: str) -> None:
    """Refuse a model whose settings or files show that no study can use it.

    Of a hub model, the settings and the files in the hub's cache are checked.

    Args:
        key: key of the model in the config, for messages.
        settings: settings of the model.
        prompt: its answer prompt.

    Raises:
        InputError: no study can use the model. The message names the key and the fault.
    """
    _check_date(settings["date"], key)
    reserved = RESERVED & settings["template_arguments"].keys()
    if reserved:
        raise InputError(
            f"{key}.template_arguments: {min(reserved)} is not an argument of the "
            "template"
        )
    if settings["revision"] is not None:
        _check_hub_model(settings, prompt, key)
        return
    folder = Path(settings["source"])
    refuse_file(key, folder)
    check_adapter(folder, f"{key}.source: {folder}")
    refuse_incomplete(key, folder)
    _check_config(folder, settings, key)
    template = chat_template(folder)
    if template is None:
        raise InputError(
            f"{key}: the tokenizer in {folder} has no chat template; if this is a base "
            "model, take its instruct or reasoning version, else put the template "
            "beside the tokenizer, as chat_template.jinja"
        )
    markers = _check_markers(settings, template, added_tokens(folder), prompt, key)
    _check_prompt(folder, template, markers, settings, key)
    _check_weights(folder, key)


def _check_hub_model(settings: dict[str, Any], prompt: str, key: str) -> None:
    """Refuse a model of the hub by what is known without a connection.

    These are its settings, and its files if an earlier run or another program has
    downloaded them. The first job that reads the other files checks them.
    """
    folder = cached_folder(settings["source"], settings["revision"])
    if folder is not None and (folder / "config.json").is_file():
        check_adapter(folder, f"{key}.source: {settings['source']}")
        _check_config(folder, settings, key)
    files = ("tokenizer.json", "tokenizer_config.json")
    if folder is not None and all((folder / name).is_file() for name in files):
        template = chat_template(folder)
        if template is not None:
            tokens = added_tokens(folder)
            markers = _check_markers(settings, template, tokens, prompt, key)
            _check_prompt(folder, template, markers, settings, key)
            return
    if settings["end_of_thought"] is not None:  # else it follows from the files
        _check_markers(settings, "", (), prompt, key)


def cached_folder(source: str, revision: str) -> Path | None:
    """The folder where the hub's cache keeps a model; None if it does not keep it."""
    from huggingface_hub.constants import HF_HUB_CACHE  # only where it is needed

    name = f"models--{source.replace('/', '--')}"
    folder = Path(HF_HUB_CACHE) / name / "snapshots" / revision
    return folder if folder.is_dir() else None


def _check_date(date: str | None, key: str) -> None:
    try:
        datetime.date.fromisoformat(date or "2000-01-01")
    except ValueError as error:
        raise InputError(f"{key}.date: {date!r} is not a date (YYYY-MM-DD)") from error


def _check_markers(
    settings: dict[str, Any],
    template: str,
    tokens: Collection[str],
    prompt: str,
    key: str,
) -> ThoughtFormat:
    """The model's thought format; the answer prompt must hold its end marker."""
    start, end = settings["start_of_thought"], settings["end_of_thought"]
    try:
        markers = format_of_model(
            start, end, template, tokens, opened=settings["open_thought"]
        )
    except InputError as error:
        raise InputError(f"{key}: {settings['source']}: {error}") from error
    filled_answer_prompt(prompt, markers)
    return markers


def _check_prompt(
    folder: Path,
    template: str,
    markers: ThoughtFormat,
    settings: dict[str, Any],
    key: str,
) -> None:
    """Refuse markers that the tokenizer cannot write, and prompts that close a thought.

    The job that tokenizes checks this again with transformers' tokenizer.
    """
    try:
        for marker in filter(None, (markers.start, markers.end)):
            if marker not in added_tokens(folder):
                check_marker(marker, _decoded_again(folder, marker, key))
        bare, whole = rendered_prompts(folder, template, settings)
        markers.opening_left(markers.turn_start(bare, whole, QUESTION))
        if settings["date"] is not None:
            with_pinned_date(template, settings["date"])
    except (InputError, ValueError) as error:
        raise InputError(f"{key}: {folder}: {error}") from error


def _decoded_again(folder: Path, text: str, key: str) -> str:
    """A text after a local tokenizer has encoded and decoded it."""
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises only Exception
        raise InputError(f"{key}: damaged {path} ({str(error)[:200]})") from error
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    return tokenizer.decode(ids, skip_special_tokens=False).removeprefix(" ")


def _check_config(folder: Path, settings: dict[str, Any], key: str) -> None:
    """Refuse a model by its configuration, and a model that brings its own code."""
    source = f"{key}.source: {settings['source']}"
    refuse_config(source, read_json(folder / "config.json"), base_model(folder))
    if not settings["trust_remote_code"]:
        configs = [folder / name for name in CONFIGS]
        refuse_code(source, filter(Path.is_file, configs))


def check_adapter(folder: Path, source: str) -> None:
    """Refuse a folder that holds an adapter, alone or beside the model's weights.

    Raises:
        InputError: the folder holds an adapter. The message begins with `source` and
            says how to merge it.
    """
    has_model = any((folder / name).is_file() for name in (WEIGHTS, WEIGHTS_INDEX))
    refuse_adapter(source, folder, adapter_files(folder), has_model=has_model)


def weight_files(folder: Path) -> list[Path]:
    """The files from which a local model's weights are read.

    If there are both a single file and an index of parts, transformers reads the single
    file.
    """
    index = folder / WEIGHTS_INDEX
    if (folder / WEIGHTS).is_file() or not index.is_file():
        return [folder / WEIGHTS]
    names = {str(name) for name in read_json(index).get("weight_map", {}).values()}
    return [index, *(folder / name for name in sorted(names))]


def card_files(settings: dict[str, Any]) -> list[Path]:
    """The card of a local model; an empty list if there is none.

    Args:
        settings: of the model.
    """
    path = Path(settings["source"]) / "README.md"
    return [path] if settings["revision"] is None and path.is_file() else []


def _check_weights(folder: Path, key: str) -> None:
    """Refuse weights that are incomplete, quantised, or in another format."""
    if not any((folder / name).is_file() for name in (WEIGHTS, WEIGHTS_INDEX)):
        if other := weights_instead(folder):
            raise InputError(f"{key}.source: {other}")
        unknown = sorted(path.name for path in folder.glob("*.safetensors"))
        unread = f", and {', '.join(unknown)} is not read" if unknown else ""
        raise InputError(
            f"{key}.source: {folder} has no weights ({WEIGHTS}, or {WEIGHTS_INDEX} "
            f"and the files that it names){unread}"
        )
    _check_index(folder, key)
    source = f"{key}.source: {folder}"
    if quantised := check_headers(source, weight_files(folder)):
        refuse_quantised(source, quantised, base_model(folder))


def _check_index(folder: Path, key: str) -> None:
    """Refuse an index of parts that names other files than those beside it."""
    index = folder / WEIGHTS_INDEX
    if not index.is_file():
        return
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict):
        raise InputError(f"{index}: no weight_map")
    for name in sorted({str(name) for name in weight_map.values()}):
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise InputError(
                f"{index}: {name!r} is not the name of a safetensors file beside it"
            )
        if not (folder / name).is_file():
            raise InputError(
                f"{key}.source: {folder} lacks {name}, which {index} names"
            )
