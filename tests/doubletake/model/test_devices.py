"""The device of a job, on machines with and without GPUs."""

from types import SimpleNamespace

import pytest
import torch

from doubletake.model import devices
from doubletake.model.devices import choose_device, device_name
from doubletake.running.errors import InputError


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Pretend that this machine has `count` GPUs; give the list of chosen GPUs."""
    chosen: list[int] = []

    def pretend(count: int) -> list[int]:
        uuids = [SimpleNamespace(uuid=f"uuid-{index}") for index in range(count)]
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "get_device_properties", uuids.__getitem__)
        monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
        monkeypatch.setattr(devices, "FOLDER", tmp_path)
        return chosen

    devices._claimed_gpu.cache_clear()
    yield pretend
    devices._claimed_gpu.cache_clear()


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_with_a_gpu_it_is_used(machine, name):
    chosen = machine(2)
    assert choose_device(name) == torch.device("cuda", 0)
    assert chosen == [0]


def test_a_process_keeps_its_gpu(machine):
    machine(2)
    assert choose_device("cuda") == choose_device("auto") == torch.device("cuda", 0)


def test_a_gpu_that_another_holds_is_left_to_it(machine, tmp_path):
    machine(2)
    held = devices.claim(["GPU-uuid-0"], 1, tmp_path)
    assert held == 0
    assert choose_device("cuda") == torch.device("cuda", 1)


@pytest.mark.parametrize(("count", "name"), [(0, "auto"), (0, "cpu"), (2, "cpu")])
def test_the_cpu_is_used(machine, count, name):
    chosen = machine(count)
    assert choose_device(name) == torch.device("cpu")
    assert chosen == []


def test_a_gpu_that_is_not_there_is_refused_by_name(machine, monkeypatch):
    machine(0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(InputError, match=r"models.<name>.device: cuda .* no GPU .*3"):
        choose_device("cuda")


def test_the_name_of_the_cpu_tells_its_threads():
    threads = torch.get_num_threads()
    assert device_name(torch.device("cpu")).startswith(f"cpu, {threads} thread")
