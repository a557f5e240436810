"""Scripts that people call by hand: one clear line where the input is at fault."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from doubletake.running.errors import InputError
from doubletake.running.foreign_text import visible


@contextmanager
def command() -> Iterator[None]:
    """Run the body of a script that is called by hand.

    Raises:
        SystemExit: with status 1 after an `InputError`, whose message goes to stderr.
    """
    try:
        yield
    except InputError as error:
        print(f"error: {visible(str(error))}", file=sys.stderr)
        sys.exit(1)
