"""Folders of models: what can be known, and refused, without loading them.

No torch and no transformers here: it runs whenever the workflow starts.
"""

import datetime
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from doubletake.model.adapters import adapter_files, refuse_adapter
from doubletake.model.architectures import LAYOUTS
from doubletake.model.remote_code import CONFIGS, refuse_code
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
from doubletake.text.thought_format import ThoughtFormat, filled_answer_prompt

PICKLES = {".bin", ".ckpt", ".pkl", ".pt", ".pth"}
RESERVED = {
    *("messages", "conversation", "add_generation_prompt", "continue_final_message"),
    *("tokenize", "chat_template", "return_dict", "return_tensors", "tools"),
}
"""Arguments by which the library renders, which no config may set."""
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"


def check_model(key: str, settings: dict[str, Any], prompt: str) -> None:
    """Refuse a model that no study can use, as far as its files tell.

    Of a hub model only what the config itself says is looked at.

    Args:
        key: of the model in the config, for messages.
        settings: of the model.
        prompt: its answer prompt.

    Raises:
        InputError: names the key and what is wrong.
    """
    _check_date(settings["date"], key)
    taken = RESERVED & settings["template_arguments"].keys()
    if taken:
        raise InputError(
            f"{key}.template_arguments: {min(taken)} is not the template's own argument"
        )
    if settings["revision"] is not None:
        if settings["end_of_thought"] is not None:  # else its files must be read first
            _check_markers(settings, "", (), prompt, key)
        return
    folder = Path(settings["source"])
    check_adapter(folder, f"{key}.source: {folder}")
    _check_model_folder(folder, key)
    template = chat_template(folder)
    if template is None:
        raise InputError(f"{key}: the tokenizer in {folder} has no chat template")
    found = _check_markers(settings, template, added_tokens(folder), prompt, key)
    _check_prompt(folder, template, found, settings, key)
    _check_weights(folder, key)
    if not settings["trust_remote_code"]:
        configs = [folder / name for name in CONFIGS]
        refuse_code(f"{key}.source: {folder}", filter(Path.is_file, configs))


def _check_date(date: str | None, key: str) -> None:
    try:
        datetime.date.fromisoformat(date or "2000-01-01")
    except ValueError as error:
        raise InputError(f"{key}.date: {date!r} is no date (YYYY-MM-DD)") from error


def _check_markers(
    settings: dict[str, Any],
    template: str,
    tokens: Collection[str],
    prompt: str,
    key: str,
) -> ThoughtFormat:
    """The model's thought format, of which the answer prompt holds the end marker."""
    start, end = settings["start_of_thought"], settings["end_of_thought"]
    try:
        found = format_of_model(
            start, end, template, tokens, opened=settings["open_thought"]
        )
    except InputError as error:
        raise InputError(f"{key}: {settings['source']}: {error}") from error
    filled_answer_prompt(prompt, found)
    return found


def _check_prompt(
    folder: Path,
    template: str,
    found: ThoughtFormat,
    settings: dict[str, Any],
    key: str,
) -> None:
    """Refuse markers that the tokenizer cannot write, and prompts that close a thought.

    The job that tokenizes looks again, through the library itself.
    """
    try:
        for marker in filter(None, (found.start, found.end)):
            if marker not in added_tokens(folder):
                check_marker(marker, _written(folder, marker, key))
        bare, whole = rendered_prompts(folder, template, settings)
        found.opening_left(found.turn_start(bare, whole, QUESTION))
        if settings["date"] is not None:
            with_pinned_date(template, settings["date"])
    except (InputError, ValueError) as error:
        raise InputError(f"{key}: {folder}: {error}") from error


def _written(folder: Path, text: str, key: str) -> str:
    """What a local tokenizer makes of a text."""
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{key}: damaged {path} ({str(error)[:200]})") from error
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    return tokenizer.decode(ids, skip_special_tokens=False).removeprefix(" ")


def _check_model_folder(folder: Path, key: str) -> None:
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


def check_adapter(folder: Path, source: str) -> None:
    """Refuse a folder that holds an adapter, alone or beside the model's weights.

    Raises:
        InputError: begins with `source` and says how to merge the adapter.
    """
    model = any((folder / name).is_file() for name in (WEIGHTS, WEIGHTS_INDEX))
    refuse_adapter(source, folder, adapter_files(folder), has_model=model)


def weight_files(folder: Path) -> list[Path]:
    """The files from which a local model's weights are read.

    Of a whole file and an index of parts, the library takes the whole one.
    """
    index = folder / WEIGHTS_INDEX
    if (folder / WEIGHTS).is_file() or not index.is_file():
        return [folder / WEIGHTS]
    names = {str(name) for name in read_json(index).get("weight_map", {}).values()}
    return [index, *(folder / name for name in sorted(names))]


def _check_weights(folder: Path, key: str) -> None:
    """Whether the weights are all there, in a format that is only data."""
    if not any((folder / name).is_file() for name in (WEIGHTS, WEIGHTS_INDEX)):
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
        others = sorted(path.name for path in folder.glob("*.safetensors"))
        unread = f", and {', '.join(others)} is not read" if others else ""
        raise InputError(
            f"{key}.source: {folder} has no weights ({WEIGHTS}, or {WEIGHTS_INDEX} "
            f"and the files that it names){unread}"
        )
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
