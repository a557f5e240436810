"""Columns that a user names on a command line: `question=prompt,gold=answer`."""

from doubletake.running.errors import InputError
from doubletake.user_files.columns import ROLES


def named_columns(text: str) -> dict[str, str | None]:
    """Columns by role, from `question=prompt,gold=answer`; `gold=`: no such column.

    Raises:
        InputError: the text has another form, or names an unknown role.
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    columns = {role.strip(): path.strip() or None for role, _, path in pairs}
    for role, equals, _ in pairs:
        if role.strip() not in ROLES or not equals:
            raise InputError(
                f"columns: {text!r} is not a list like question=prompt,gold=answer; "
                f"on the left stands one of {', '.join(ROLES)}"
            )
    return columns
