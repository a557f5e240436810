"""What the rule of the reproduction reads: settings, tables, and the other run."""

from pathlib import Path
from typing import Any

from doubletake.study.other_results import published_run
from doubletake.study.outputs import StudyFiles
from doubletake.study.registry import modules, stages

TABLES = (
    *("traces", "turns", "turns/words"),
    *("early_exit", "early_exit/summary", "early_exit/slopes"),
    *("probing", "probing/contrasts", "unmatched_probes", "value_vectors"),
    *("attribution/overlap", "attribution/context_parts"),
    *("injection/tests", "steering/summary", "wrong_samples/summary"),
    "ablation/effects",
)
"""Tables that a claim reads. A table of a stage that is not there is left out."""
SECTIONS = (
    *("model", "dataset", "generation", "events", "turns", "early_exit", "attribution"),
    *("value_vectors", "intervals"),
)
"""Sections that say by which recipe a study was made."""
MANIFEST = "manifest.json"


def table_files() -> list[str]:
    """Files of the tables that claims read, in a study's folder."""
    return [
        table.file(stage.name)
        for stage in stages()
        for table in stage.all_tables
        if table.file(stage.name).removesuffix(".parquet") in TABLES
    ]


def modules_of_tables() -> list[str]:
    """Modules that declare these tables, for the digest of the script's code."""
    folders = {table.partition("/")[0] for table in TABLES}
    return [
        name
        for name in modules("declaration", "tables")
        if name.partition(".")[0] in folders
    ]


def summarise(config: dict[str, Any], studies: list[StudyFiles]) -> dict[str, Any]:
    """Settings of `summarise.py`, on all studies of the config."""
    return {
        "studies": [f"{study.model}/{study.dataset}" for study in studies],
        "folders": [study.folder for study in studies],
        "sections": [
            {name: study.settings[name] for name in SECTIONS if name in study.settings}
            for study in studies
        ],
        "published_recipe": published_run(config),
    }


def other_files(settings: dict[str, Any]) -> list[str]:
    """Files of the run by the published recipe that are there."""
    if settings["published_recipe"] is None:
        return []
    names = [MANIFEST, *table_files()]
    paths = [
        Path(settings["published_recipe"]) / study / name
        for study in settings["studies"]
        for name in names
    ]
    return [str(path) for path in paths if path.is_file()]
