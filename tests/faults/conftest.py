"""The counts of the fault suite, and the run that was left alone."""

import pytest
from checkouts import Checkout, new_checkout
from fault_tools import Tally, results

TALLY = Tally()


@pytest.fixture(scope="session")
def tally() -> Tally:
    """The counts, shown when the suite ends."""
    return TALLY


@pytest.fixture(scope="session")
def undisturbed_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose study ran through; tests only copy it."""
    checkout = new_checkout(tmp_path_factory.mktemp("undisturbed"))
    checkout.configure(smaller)
    result = checkout.run()
    assert result.returncode == 0, result.stdout[-8000:]
    return checkout


@pytest.fixture(scope="session")
def undisturbed(undisturbed_checkout: Checkout) -> dict[str, str]:
    """Digests of its results."""
    return results(undisturbed_checkout)


@pytest.fixture
def fresh(tmp_path) -> Checkout:
    """A checkout in which nothing has run."""
    checkout = new_checkout(tmp_path / "fresh")
    checkout.configure(smaller)
    return checkout


def smaller(config) -> None:
    """The small study with less to count: the faults matter here, not the findings."""
    config["intervals"]["bootstrap"] = 10


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the counts, also when a test failed."""
    if TALLY.injected:
        terminalreporter.section("faults")
        for line in TALLY.lines():
            terminalreporter.write_line(line)
