"""For scripts that people call by hand: a wrong input ends them with one line."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from doubletake.running.errors import InputError
from doubletake.running.logs import VisibleFormatter
from doubletake.running.visible_text import visible


@contextmanager
def command() -> Iterator[None]:
    """Run the body of a script that people call by hand. What it logs goes to stderr.

    Raises:
        SystemExit: the body raised an `InputError`. The status is 1, and the message
            goes to stderr.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(VisibleFormatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        yield
    except InputError as error:
        print(f"error: {visible(str(error))}", file=sys.stderr)
        sys.exit(1)
