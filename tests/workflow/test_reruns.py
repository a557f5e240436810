"""After every change, exactly the rules that docs/reruns.md lists run again."""

import pytest
from reruns import CHANGES, documented, planned

DOCUMENTED = documented()


def test_the_document_names_every_change():
    assert list(DOCUMENTED) == list(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_reruns_what_the_document_says(rerun, name):
    CHANGES[name](rerun)
    assert planned(rerun) == DOCUMENTED[name]


def test_weights_that_are_not_the_models_rerun_nothing(rerun):
    folder = rerun.folder / "resources/pocket"
    (folder / "consolidated.safetensors").write_bytes(b"")
    assert planned(rerun) == []
    config = folder / "generation_config.json"
    config.write_text(config.read_text().replace("636", "637"))
    assert "generate_traces" in planned(rerun)
