"""Paths that begin with `~`."""

from pathlib import Path


def home_path(path: str) -> Path:
    """A path with `~` or `~name` replaced by the home of this user or of that one."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user
        return Path(path)
