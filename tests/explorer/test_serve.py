"""The loopback server of the explorer."""

import threading
import urllib.error
import urllib.request

import pytest

from doubletake.running.errors import InputError
from explorer.serve import server


@pytest.fixture
def folder(tmp_path):
    explorer = tmp_path / "explorer"
    explorer.mkdir()
    (explorer / "index.html").write_text("hello")
    (tmp_path / "secret").write_text("secret")
    return explorer


def test_it_serves_the_folder_to_this_machine_alone(folder):
    with server(folder, 0) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        assert serving.server_address[0] == "127.0.0.1"
        address = f"http://127.0.0.1:{serving.server_port}"
        assert urllib.request.urlopen(f"{address}/index.html").read() == b"hello"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/../secret")
        serving.shutdown()


def test_a_taken_port_and_a_missing_explorer_are_named(folder, tmp_path):
    with (
        server(folder, 0) as serving,
        pytest.raises(InputError, match=f"cannot use port {serving.server_port}"),
    ):
        server(folder, serving.server_port)
    with pytest.raises(InputError, match="holds no explorer"):
        server(tmp_path, 0)
