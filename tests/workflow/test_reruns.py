"""After every change, exactly the rules that docs/reruns.md lists run again."""

import json

import pytest
from reruns import (
    CHANGES,
    all_rules,
    cell,
    documented,
    documented_rules,
    planned,
    rules_of_cell,
)

DOCUMENTED = documented()


def test_the_document_names_every_change():
    assert list(DOCUMENTED) == list(CHANGES)


def test_the_document_names_every_rule(rerun):
    assert documented_rules() == all_rules(rerun)


def test_a_long_cell_names_the_rules_that_do_not_run():
    every = [f"rule_{number:02d}" for number in range(20)]
    assert cell(every[:12], every) == ", ".join(f"`{rule}`" for rule in every[:12])
    assert cell(every[:18], every) == "all but `rule_18`, `rule_19`"
    assert cell(every, every) == "all"


def test_a_cell_is_read_back_exactly():
    every = [f"rule_{number:02d}" for number in range(30)]
    for size in range(31):
        rules = every[:size]
        assert rules_of_cell(cell(rules, every), every) == rules


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_reruns_what_the_document_says(rerun, name):
    CHANGES[name](rerun)
    assert planned(rerun) == DOCUMENTED[name]


def test_weights_that_are_not_the_models_rerun_nothing(rerun):
    folder = rerun.folder / "resources/pocket"
    (folder / "consolidated.safetensors").write_bytes(b"")
    assert planned(rerun) == []
    config = folder / "generation_config.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps(settings | {"eos_token_id": 1}))
    assert "generate_traces" in planned(rerun)
