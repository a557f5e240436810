"""Every change makes just that rerun which docs/reruns.md says."""

import pytest
from reruns import CHANGES, documented, planned

DOCUMENTED = documented()


def test_the_document_names_every_change():
    assert list(DOCUMENTED) == list(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_reruns_what_the_document_says(rerun, name):
    CHANGES[name](rerun)
    assert planned(rerun) == DOCUMENTED[name]
