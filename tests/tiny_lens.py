"""The logit lens of a tiny study with turns."""

import polars as pl
from tiny_turns import TurnsStudy

from logit_lens import measure
from logit_lens.tables import LOGIT_LENS

TOP, DRAWS = 3, 40
SETTINGS = measure.Settings(TOP, DRAWS, 0, 0.01)


def run(
    study: TurnsStudy, name: str = "lens", settings: measure.Settings = SETTINGS
) -> pl.DataFrame:
    """Run it, and read `LOGIT_LENS`; the files begin with `name`."""
    files = {k: v for k, v in study.files.items() if k != "traces_path"}
    measure.main(
        **files,
        turns_path=study.folder / "turns.parquet",
        words_path=study.folder / "words.parquet",
        lens_path=study.folder / f"{name}.parquet",
        random_groups_path=study.folder / f"{name}.random.parquet",
        vocabulary_path=study.folder / f"{name}.vocabulary.parquet",
        verification_path=study.folder / f"{name}.verification.parquet",
        runs_path=study.folder / f"{name}.runs.parquet",
        model=study.model,
        settings=settings,
    )
    return LOGIT_LENS.read(study.folder / f"{name}.parquet")
