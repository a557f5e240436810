"""The undisturbed run with which disturbed runs are compared."""

import pytest
from checkouts import Checkout
from fault_tools import results


@pytest.fixture(scope="session")
def undisturbed(finished: Checkout) -> dict[str, str]:
    """Digests of the results of a run without faults."""
    return results(finished)
