"""The reference files: complete, sourced, and true to their own numbers."""

import numpy as np
import pytest
import yaml
from tiny_reproduction import PATHS, REFERENCES

from doubletake.running.errors import InputError
from reproduction.claims import all_claims
from reproduction.published import References
from reproduction.tables import LEVEL
from reproduction.verdicts import published_value

CLAIMS = all_claims(REFERENCES)


def changed(tmp_path, change):
    """The reference files, with a change to the claims."""
    content = yaml.safe_load(PATHS["published_path"].read_text(encoding="utf-8"))
    change(content)
    path = tmp_path / "published.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return References.read(path, PATHS["exits_path"], PATHS["attribution_path"])


def test_every_entry_is_compared_and_every_claim_has_an_entry():
    assert {claim.entry for claim in CLAIMS} == set(REFERENCES.entries)
    names = [claim.name for claim in CLAIMS]
    assert len(set(names)) == len(names)


def test_every_claim_has_a_source_a_recipe_and_a_rule():
    for claim in CLAIMS:
        entry = REFERENCES.entry(claim.entry)
        assert entry.work.source, claim.name
        assert entry.stated, claim.name
        assert entry.recipe, claim.name
        assert claim.rule, claim.name


def test_a_number_to_compare_with_is_published():
    for claim in CLAIMS:
        entry = REFERENCES.entry(claim.entry)
        if claim.kind == LEVEL:
            known = published_value(claim, entry)
            assert (known is None) != (entry.within is None), claim.name


def test_every_published_logit_is_a_claim():
    curves = REFERENCES.logits
    assert sorted(curves) == [4, 5, 6, 7, 8, 9]
    found = {claim.name: claim.value for claim in CLAIMS}
    for arrivals, curve in curves.items():
        assert len(curve) == arrivals + 1
        for number, value in enumerate(curve):
            assert found[f"exit_logit_{arrivals}_{number}"] == value


def test_the_statements_on_exits_hold_in_the_published_numbers():
    """Jump of 9 to 10, then 0.55 to 0.75, then a rise at every exit."""
    steps = [np.diff(curve) for curve in REFERENCES.logits.values()]
    jumps, seconds = ([part[k] for part in steps] for k in (0, 1))
    assert (round(min(jumps)), round(max(jumps))) == (9, 10)
    assert (round(min(seconds), 2), round(max(seconds), 2)) == (0.55, 0.75)
    assert all((part > 0).all() for part in steps)


def test_the_statements_on_parts_hold_in_the_published_numbers():
    question, *fifths = REFERENCES.parts
    assert max(question, *fifths[:-1]) < fifths[-1] == 0.77
    assert question == 0.63 > max(fifths[:-1]) == 0.38
    assert min(fifths) == 0.14


def test_the_range_of_depth_is_that_of_the_layers():
    """Layers 6 to 30 of the 32 of the published model."""
    layers = np.array(REFERENCES.entry("probe_best").within)
    assert (layers / 32).tolist() == REFERENCES.entry("probe_layers").depth


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda content: content["claims"]["overlap"].update(valu=1),
            "claims.overlap.valu: unknown key",
        ),
        (
            lambda content: content["claims"]["overlap"].update(work="other"),
            "claims.overlap.work: 'other' is not defined under works",
        ),
        (
            lambda content: content["claims"]["overlap"].update(value="41%"),
            "claims.overlap.value",
        ),
        (
            lambda content: content["works"]["ablation"].pop("model"),
            "works.ablation",
        ),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path, change, words):
    with pytest.raises(InputError, match=words) as refused:
        changed(tmp_path, change)
    assert "published.yaml" in str(refused.value)
