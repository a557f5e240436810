"""Foreign text in logs and messages is made visible."""

import logging

import pytest

from doubletake.running.commands import command
from doubletake.running.errors import InputError
from doubletake.running.logs import job

EVIL = "\x1b[2J\x1b]0;owned\x07\nfeigned ERROR line\r\u202e"


@pytest.fixture(autouse=True)
def _own_handlers(monkeypatch):
    """Restore pytest's handlers after the test."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)


def test_escapes_reach_neither_log_nor_terminal(tmp_path, capfd):
    def fail() -> None:
        with job(tmp_path / "log"):
            logging.getLogger("doubletake").warning("trace %s refused", EVIL)
            raise InputError(f"{EVIL}: not a text")

    with pytest.raises(SystemExit):
        fail()
    text = (tmp_path / "log").read_text()
    assert capfd.readouterr().err == text
    assert "\u241b[2J" in text
    assert not set(text) & set("\x1b\x07\r\u202e")
    assert len(text.splitlines()) == 2


def test_a_traceback_keeps_its_lines_and_hides_its_escapes(tmp_path, capfd):
    with pytest.raises(ValueError, match="owned"), job(tmp_path / "log"):
        raise ValueError(EVIL)
    text = (tmp_path / "log").read_text()
    assert "Traceback (most recent call last):\n" in text
    assert "\x1b" not in text + capfd.readouterr().err


def test_escapes_of_a_command_are_shown(capsys):
    with pytest.raises(SystemExit), command():
        raise InputError(EVIL)
    assert "\x1b" not in capsys.readouterr().err
