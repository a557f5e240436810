"""Foreign text in logs and messages is made visible."""

import logging
import time

import pytest

from doubletake.running.commands import command
from doubletake.running.errors import InputError
from doubletake.running.logs import Progress, job

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


@pytest.fixture
def clock(monkeypatch):
    """Seconds since the start; a test moves them."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(time, "localtime", time.gmtime)
    return now


def test_progress_expects_its_end_from_what_this_attempt_did(clock, caplog):
    caplog.set_level(logging.INFO)
    progress = Progress(100, "traces")
    progress.keep(60)
    clock[0] = 600.0
    progress.update(0, 3000)
    clock[0] = 1200.0
    progress.update(10, 3000)
    progress.update(30)
    progress.close()
    assert [record.message for record in caplog.records] == [
        "60 of 100 traces, 5 tokens/s, end not known yet",
        # Ten items took 20 minutes, so the other thirty take an hour more.
        "70 of 100 traces, 5 tokens/s, expected end 1970-01-01 01:20",
        "100 of 100 traces, 5 tokens/s, 1200 s",
    ]


def test_progress_counts_work_that_is_known_later(clock, caplog):
    caplog.set_level(logging.INFO)
    progress = Progress(10, "traces")
    progress.expect(5)
    clock[0] = 100.0
    progress.update(15, 1000)
    progress.close()
    assert caplog.records[-1].message == "15 of 15 traces, 10 tokens/s, 100 s"


def test_progress_writes_a_line_a_minute_and_more_at_the_start(clock, caplog):
    caplog.set_level(logging.INFO)
    progress = Progress(10**6, "traces")
    for second in range(3601):
        clock[0] = float(second)
        progress.update(1, 1)
    ends = (60, 600, 3600)
    counts = [int(record.message.split()[0]) - 1 for record in caplog.records]
    assert [sum(count <= end for count in counts) for end in ends] == [6, 26, 76]
