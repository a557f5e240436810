"""The small study, made once."""

import pytest
from tiny_online import SmallStudy, make_study


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> SmallStudy:
    """A generated study with trial points and probes."""
    return make_study(tmp_path_factory.mktemp("online"))
