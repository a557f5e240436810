"""Links of a figure: its file, its numbers as CSV, and its cases in the explorer.

The page lies beside the results, so links are relative. A caption names the tables
whose numbers its figure shows ("early_exit/summary.parquet").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import polars as pl

from doubletake.running.files import write_whole
from doubletake.study.declaration import Experiment, Figure

NUMBERS = "numbers"
"""Folder of the CSV files, beside the page."""
EXPLORER = "explorer/index.html"
TABLE = re.compile(r"([a-z_]+(?:/[a-z_]+)*)\.parquet")
VIEWS = {
    "early_exit": "exits",
    "exit_policies": "rules",
    "repair": "rules",
    "attribution": "attribution",
    "attention": "attention",
    "logit_lens": "lens",
    "twins": "truth",
    "wrong_samples": "texts",
    "decoding_actions": "texts",
    "steering": "texts",
    "mistakes": "texts",
    "repetition": "exits",
    "faithfulness": "exits",
    "exact_attribution": "attribution",
    "look_back": "attribution",
    "resampling": "resamples",
    "loop": "interventions",
}
"""The explorer's view of an experiment's cases; the others open with the first view."""
WITH_TURNS = ("attribution", "attention", "lens", "interventions")


@dataclass(frozen=True)
class Link:
    """A link below a figure."""

    text: str
    address: str
    download: bool = False


def named_tables(figure: Figure) -> list[str]:
    """Names of the tables that a figure's caption names."""
    return list(dict.fromkeys(TABLE.findall(figure.caption)))


def figure_links(
    study: str, experiment: Experiment, figure: Figure, tables: Mapping[str, object]
) -> list[Link]:
    """Links of a figure.

    Args:
        study: model/dataset.
        experiment: of the figure.
        figure: with its caption.
        tables: the tables that have a CSV file; others are linked as they are.
    """
    place = quote(study)
    links = [Link("SVG", f"{place}/{experiment.name}/{figure.name}.svg", True)]
    for name in named_tables(figure):
        if name in tables:
            address = f"{NUMBERS}/{place}/{name}.csv"
            links.append(Link(f"{name}.csv", address, True))
        else:
            links.append(Link(f"{name}.parquet", f"{place}/{name}.parquet", True))
    return [*links, Link("its thoughts", explorer_address(study, experiment.name))]


def explorer_address(study: str | None, experiment: str) -> str:
    """Where the explorer lists the thoughts of an experiment.

    Args:
        study: model/dataset; None: all studies.
        experiment: its name.
    """
    view = VIEWS.get(experiment, "")
    query = {"study": study} if study else {}
    if view:
        query["view"] = view
    if view in WITH_TURNS:
        query["backtracks-min"] = "1"
    return f"{EXPLORER}#/list?{urlencode(query)}"


def flat(table: pl.DataFrame) -> bool:
    """Whether a table has one value in every cell, as a CSV file needs."""
    return not any(dtype.is_nested() for dtype in table.schema.values())


def write_numbers(folder: Path, study: str, name: str, table: pl.DataFrame) -> None:
    """Write a table as a CSV file.

    Args:
        folder: of the CSV files.
        study: model/dataset.
        name: of the table.
        table: without lists.
    """
    path = folder / study / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, table.write_csv().encode())
