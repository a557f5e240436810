"""Writes the explorer: pages and data, to look at every thought in a browser.

Inputs
    per study: problems, traces, events, and the tables of the views in the config (with
        `explorer.only_made`: those that are made).
    page: the page's files (`workflow/explorer/`).

Outputs
    folder: `index.html` opens from disk; it needs no server and no network. Beside it
        lie its scripts, and in `data/` the chunks that it loads.
"""

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doubletake.running.logs import job
from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import load_tokenizer
from explorer.chunks import write_chunk
from explorer.study_data import ShownStudy, legend, write_study

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("write_explorer")

CHUNK_THOUGHTS = 100
CHUNK_TURNS = 20


def main(
    *,
    studies: list[ShownStudy],
    models: list[ModelSettings],
    source: Path,
    folder: Path,
) -> None:
    """Write all studies' chunks and the page.

    Args:
        studies: what is shown.
        models: of the studies; their tokenizers read prompts and token ids.
        source: the page's own files.
        folder: of the explorer; what it holds is replaced.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    data = folder / "data"
    shown = []
    for number, (study, model) in enumerate(zip(studies, models, strict=True)):
        shown.append(write_study(study, number, load_tokenizer(model), data))
        logger.info("%s: %d thoughts", study.name, shown[-1]["thoughts"])
    write_chunk(data, "index", {"studies": shown, "legend": legend()})
    size = sum(path.stat().st_size for path in data.iterdir())
    logger.info("%s: %d kB of data", folder, size // 1000)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            studies=[
                ShownStudy(
                    study["name"],
                    Path(study["folder"]),
                    frozenset(snakemake.params.settings["views"]),
                    frozenset(study["tables"]),
                    snakemake.params.metric,
                    CHUNK_THOUGHTS,
                    CHUNK_TURNS,
                )
                for study in snakemake.params.studies
            ],
            models=[ModelSettings(**model) for model in snakemake.params.models],
            source=Path(snakemake.params.source),
            folder=Path(snakemake.output.folder),
        )
