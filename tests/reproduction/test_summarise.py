"""The table of published claims: every row, by both recipes, and what is refused."""

from pathlib import Path

import polars as pl
import pytest
import yaml
from checkouts import ROOT
from tiny_report import THOUGHTS, Study
from tiny_reproduction import PATHS, REFERENCES, settings

from doubletake.running.errors import InputError
from doubletake.running.manifests import manifest_content, write_manifest
from doubletake.running.provenance import Provenance
from reproduction.claims import all_claims
from reproduction.other_run import is_published_recipe
from reproduction.settings import SECTIONS, TABLES, other_files, table_files
from reproduction.summarise import Settings, main
from reproduction.tables import RECIPES, REPRODUCTION

STUDY = "tiny/data"


def sections(*, published=False, **changes):
    config = settings(published=published) | {"generation": {"seed": 0}} | changes
    config["intervals"] = {"confidence": 0.95, "least_problems": 3}
    return {name: config[name] for name in SECTIONS}


@pytest.fixture
def written(tmp_path):
    """Tables of a small study, in two folders: ours and the other run's."""
    for name in ("own", "other"):
        Study(STUDY).write(tmp_path / name)
    return tmp_path


def manifest_of(folder: Path, config):
    content = manifest_content(
        study={"model": "tiny", "dataset": "data"},
        config=config,
        inputs={},
        outputs={},
        stages=[],
        rules=[],
        provenance=Provenance("abc", {}, "one", "now"),
    )
    write_manifest(content, folder / STUDY / "manifest.json")


def summarised(folder: Path, own, other=None) -> pl.DataFrame:
    main(
        **PATHS,
        reproduction_path=folder / "reproduction.parquet",
        settings=Settings(
            [STUDY], [str(folder / "own" / STUDY)], [own], other and str(other)
        ),
    )
    return REPRODUCTION.read(folder / "reproduction.parquet")


def test_every_claim_has_a_row_of_each_recipe_with_its_source(written):
    table = summarised(written, sections())
    names = [claim.name for claim in all_claims(REFERENCES)]
    assert table["claim"].unique(maintain_order=True).to_list() == names
    assert table.height == len(RECIPES) * len(names)
    for column in ("source", "stated", "rule", "published_recipe", "published_model"):
        assert (table[column].str.len_chars() > 0).all()
    why = table.filter(pl.col("verdict").is_in(["not measured", "not comparable"]))
    assert (why["why"].str.len_chars() > 0).all()


def test_every_study_has_its_own_rows(written):
    """Two studies, of which the second has no thoughts."""
    empty = Study(STUDY)
    empty.rows = {}
    empty.write(written / "none")
    folders = [str(written / name / STUDY) for name in ("own", "none")]
    main(
        **PATHS,
        reproduction_path=written / "both.parquet",
        settings=Settings(["a/b", "c/d"], folders, [sections()] * 2, None),
    )
    table = REPRODUCTION.read(written / "both.parquet")
    assert table["study"].value_counts()["count"].n_unique() == 1
    assert table.filter(study="a/b", recipe="ours")["value"].count()
    assert set(table.filter(study="c/d")["verdict"]) == {"not measured"}


def test_a_number_names_its_table_and_column(written):
    table = summarised(written, sections())
    row = table.filter(claim="exit_accuracy_jump", recipe="ours").row(0, named=True)
    exits = pl.read_parquet(written / "own" / STUDY / "early_exit.parquet")
    right = {
        number: exits.filter(exit=number).sort("trace").select("trace", "correct")
        for number in (0, 1)
    }
    both = right[1].join(right[0], on="trace", suffix="_before")
    change = both["correct"].cast(int) - both["correct_before"].cast(int)
    assert row["value"] == pytest.approx(change.mean())
    assert (row["table"], row["column"]) == ("early_exit", "correct")
    assert row["cases"] == both.height <= len(THOUGHTS)


def test_without_another_run_its_column_says_so(written):
    theirs = summarised(written, sections()).filter(recipe="published")
    assert theirs["verdict"].unique().to_list() == ["not measured"]
    assert "reproduction.published_recipe" in theirs["why"][0]


def test_another_run_fills_the_column_of_the_published_recipe(written):
    manifest_of(written / "other", sections(published=True))
    table = summarised(written, sections(), written / "other")
    found = table.filter(claim="exit_accuracy_jump")
    assert found["value"][0] == found["value"][1] is not None


def test_a_study_by_the_published_recipe_fills_its_own_column(written):
    table = summarised(written, sections(published=True))
    found = table.filter(claim="exit_accuracy_jump")
    assert found.filter(recipe="published")["value"][0] is not None
    ours = table.filter(recipe="ours")
    assert ours["why"].unique().to_list() == ["this study is by the published recipe"]


def test_a_run_without_this_study_leaves_the_column_empty(written, tmp_path):
    (tmp_path / "empty").mkdir()
    table = summarised(written, sections(), tmp_path / "empty")
    assert "has no run of this study" in table.filter(recipe="published")["why"][0]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (sections(), "was made with events.detector: rules, .* has string"),
        (
            sections(published=True, generation={"seed": 1}),
            r"has another generation than this study \(seed\)",
        ),
        (
            sections(published=True, model={"source": "other"}),
            r"has another model than this study \(source\)",
        ),
    ],
)
def test_a_run_of_another_recipe_or_of_other_thoughts_is_refused(
    written, config, words
):
    manifest_of(written / "other", config)
    with pytest.raises(InputError, match=words) as refused:
        summarised(written, sections(), written / "other")
    assert str(refused.value).startswith("reproduction.published_recipe: ")


def test_the_device_changes_no_thought(written):
    model = settings()["model"]
    manifest_of(
        written / "other", sections(published=True, model=model | {"device": "cuda"})
    )
    table = summarised(
        written, sections(model=model | {"device": "cpu"}), written / "other"
    )
    assert table.filter(recipe="published")["value"].count()


def test_the_rule_reads_the_tables_of_stages_that_are_there(tmp_path):
    names = {name.removesuffix(".parquet") for name in table_files()}
    assert {"early_exit", "turns/words", "attribution/overlap"} <= names <= set(TABLES)
    given = {"published_recipe": str(tmp_path), "studies": [STUDY]}
    assert other_files(given) == []
    assert other_files(given | {"published_recipe": None}) == []
    file = tmp_path / STUDY / "early_exit.parquet"
    file.parent.mkdir(parents=True)
    file.touch()
    assert other_files(given) == [str(file)]


def test_the_shipped_config_is_the_published_recipe():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    own = ROOT / "config/published-recipe.yaml"
    for name, change in yaml.safe_load(own.read_text(encoding="utf-8")).items():
        section = config[name]
        config[name] = section | change if isinstance(section, dict) else change
    assert is_published_recipe(config)
    assert config["early_exit"]["groups"] == list(REFERENCES.logits)
    assert config["results"] != "results"
