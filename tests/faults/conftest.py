"""What disturbed runs are compared with."""

import pytest
from checkouts import Checkout
from fault_tools import results


@pytest.fixture(scope="session")
def undisturbed(finished: Checkout) -> dict[str, str]:
    """Digests of the results of a run that was left alone."""
    return results(finished)
