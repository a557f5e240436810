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
from doubletake.model.architectures import LAYOUTS, why_unsupported
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

PICKLES = {".bin", ".ckpt", ".pkl", ".pt", ".pth"}
RESERVED = {
    *("messages", "conversation", "add_generation_prompt", "continue_final_message"),
    *("tokenize", "chat_template", "return_dict", "return_tensors", "tools"),
}
"""Arguments of transformers' own function, which a config must not set."""
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"


def check_model(key: str, settings: dict[str, Any], prompt: str) -> None:
    """Refuse a model whose settings or files show that no study can use it.

    Of a hub model only the settings are checked.

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
        if settings["end_of_thought"] is not None:  # else it follows from the files
            _check_markers(settings, "", (), prompt, key)
        return
    folder = Path(settings["source"])
    check_adapter(folder, f"{key}.source: {folder}")
    _check_model_folder(folder, key)
    template = chat_template(folder)
    if template is None:
        raise InputError(f"{key}: the tokenizer in {folder} has no chat template")
    markers = _check_markers(settings, template, added_tokens(folder), prompt, key)
    _check_prompt(folder, template, markers, settings, key)
    _check_weights(folder, key)
    if not settings["trust_remote_code"]:
        configs = [folder / name for name in CONFIGS]
        refuse_code(f"{key}.source: {folder}", filter(Path.is_file, configs))


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


def _check_model_folder(folder: Path, key: str) -> None:
    """Refuse a folder that lacks a needed file or has an unknown architecture."""
    for name in ("config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise InputError(f"{key}.source: {folder} has no {name}")
    architecture = read_json(folder / "config.json").get("model_type")
    if architecture not in LAYOUTS:
        raise InputError(
            f"{key}.source: {folder}/config.json: {why_unsupported(architecture)}"
        )


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
    """Refuse weights that are incomplete, or in a format that can hold code."""
    if not any((folder / name).is_file() for name in (WEIGHTS, WEIGHTS_INDEX)):
        pickled = sorted(
            path.name for path in folder.glob("*") if path.suffix in PICKLES
        )
        if pickled:
            raise InputError(
                f"{key}.source: {folder} has only pickled weights "
                f"({', '.join(pickled)}); they can run code when they are opened, so "
                "they are never opened here; convert them where this is safe: "
                "AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW)"
            )
        unknown = sorted(path.name for path in folder.glob("*.safetensors"))
        unread = f", and {', '.join(unknown)} is not read" if unknown else ""
        raise InputError(
            f"{key}.source: {folder} has no weights ({WEIGHTS}, or {WEIGHTS_INDEX} "
            f"and the files that it names){unread}"
        )
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
