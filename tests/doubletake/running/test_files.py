"""Files are complete or missing, and no temporary files are left."""

import multiprocessing
import os
import resource
import socket
import subprocess
import sys

import pytest

from doubletake.running.errors import InputError
from doubletake.running.files import replacing, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table"
    write_whole(path, b"old")

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["table"]


def test_two_writers_never_share_a_temporary_file(tmp_path):
    path = tmp_path / "table"
    with replacing(path) as ours:
        ours.write_bytes(b"ours")
        child = multiprocessing.get_context("spawn").Process(
            target=write_whole, args=(path, b"theirs")
        )
        child.start()
        child.join()
        assert path.read_bytes() == b"theirs"
        assert ours.read_bytes() == b"ours"  # files of living writers are kept
    assert path.read_bytes() == b"ours"
    assert names(tmp_path) == ["table"]


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_files_of_a_dead_writer_are_removed(tmp_path):
    machine = socket.gethostname()
    dead, alive = dead_process(), os.getppid()
    kept = [
        f"table.{machine}.{alive}.partial",  # its writer is alive
        f"table.elsewhere.{dead}.partial",  # its writer may be alive
        f"table2.{machine}.{dead}.partial",  # of another table
    ]
    old = tmp_path / f"table.elsewhere.{alive}.partial"
    for name in [*kept, old.name, f"table.{machine}.{dead}.partial"]:
        (tmp_path / name).write_bytes(b"half")
    os.utime(old, (0, 0))
    write_whole(tmp_path / "table", b"whole")
    assert names(tmp_path) == sorted(["table", *kept])


def test_a_full_disk_is_named(tmp_path):
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from doubletake.running.files import write_whole\n"
        "write_whole(sys.argv[1], bytes(100_000))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "table"), *sys.path],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"InputError: cannot write {tmp_path}/table: File too large" in done.stderr
    assert names(tmp_path) == []


def test_other_failures_keep_their_names(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "table"):
        (tmp_path / "input").read_bytes()
    with pytest.raises(InputError, match="trace 7"), replacing(tmp_path / "table"):
        raise InputError("trace 7")
