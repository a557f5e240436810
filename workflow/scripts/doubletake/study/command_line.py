"""Values of `--config`, read as in a config file.

Snakemake reads `--config 'early_exit={max_answer_tokens: 4}'` with every value inside
the braces as a text ('4'). Here it becomes a number, as in a file.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml


def command_line_values(
    entries: Iterable[str], values: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """The entries of `--config`, one mapping each, in their order.

    Args:
        entries: the entries as typed, `KEY=VALUE`.
        values: what Snakemake read, by key. Its numbers and truth values are kept.
    """
    for entry in entries:
        key, _, text = entry.partition("=")
        value = values[key]
        if text and isinstance(value, str | dict | list):
            try:
                value = yaml.safe_load(text)
            except yaml.YAMLError:
                value = text
        yield {key: value}
