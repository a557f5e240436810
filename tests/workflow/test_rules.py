"""A rule, its script, its log and its benchmark have the same name."""

import re

import pytest
from checkouts import ROOT, rule_texts

from doubletake.study.config_schema import section_files
from doubletake.study.registry import sharded, stages

RULES = {
    name: text
    for name, text in rule_texts().items()
    if "script:" in text and not name.startswith("merge_")
}
SHARDED = [stage.name for stage in sharded()]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_called_like_its_script_and_its_log(rule):
    text = RULES[rule]
    room, script = re.findall(r'"\.\./workflow/scripts/(\w+)/(\w+)\.py"', text)[0]
    assert rule == f"{script}_{room}"
    assert f'code_digest("{room}/{script}"' in " ".join(text.split()).replace("( ", "(")
    place = rf"(?:{room}/)?{script}(?:/{{shard}})?"
    assert re.search(rf'logs/{place}\.log"', text)
    assert "benchmark:" not in text or re.search(rf'benchmarks/{place}\.tsv"', text)


@pytest.mark.parametrize("room", [stage.name for stage in stages()])
def test_a_stage_has_its_rules_in_a_file_of_its_name(room):
    text = (ROOT / f"rules/{room}.smk").read_text()
    assert f"_{room}:" in text
    assert f'include: "rules/{room}.smk"' in (ROOT / "Snakefile").read_text()


@pytest.mark.parametrize("room", SHARDED)
def test_the_shards_of_a_stage_are_written_by_its_rules(room):
    stage = next(stage for stage in sharded() if stage.name == room)
    text = (ROOT / f"rules/{room}.smk").read_text()
    for table in stage.shards:
        assert f"/{table.part(room)}" in text


def test_every_section_of_the_config_has_one_schema():
    names = [path.name.partition(".")[0] for path in section_files()]
    assert len(set(names)) == len(names)
    assert {"early_exit", "generation", "report"} <= set(names)


@pytest.mark.parametrize(
    "path",
    [*ROOT.glob("rules/*.smk"), *ROOT.glob("tests/new_experiment/rules/*.smk")],
    ids=lambda path: path.stem,
)
def test_the_folder_of_the_results_is_that_of_the_config(path):
    assert not re.search(r"[\"']results/", path.read_text())
