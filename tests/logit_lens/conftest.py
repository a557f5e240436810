"""A tiny study whose logit lens has run."""

import pytest
from tiny_lens import run
from tiny_turns import write_turns_study

from logit_lens.pairs import readings_of
from logit_lens.tables import LOGIT_LENS, LOGIT_LENS_RANDOM
from matches.tables import MATCHES
from turns.reading import target_ids
from turns.tables import TURN_WORDS


@pytest.fixture(scope="package")
def study(model, tmp_path_factory):
    study = write_turns_study(tmp_path_factory.mktemp("lens"), model)
    study.locate()
    run(study)
    return study


@pytest.fixture(scope="package")
def lens(study):
    return LOGIT_LENS.read(study.folder / "lens.parquet")


@pytest.fixture(scope="package")
def random_groups(study, lens):
    return LOGIT_LENS_RANDOM.read(study.folder / "lens.random.parquet")


@pytest.fixture(scope="package")
def targets(study):
    return target_ids(TURN_WORDS.read(study.folder / "words.parquet"))


@pytest.fixture(scope="package")
def readings(study, lens, targets):
    matches = MATCHES.read(study.matches_path)
    return readings_of(lens, matches, targets["backtrack"].tolist())
