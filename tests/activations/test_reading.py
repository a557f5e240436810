"""The cache on disk: readers get what was written, and refuse every other file."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from activations.reading import ActivationCache, Origin
from activations.shard_format import PER_ROW, ShardSizes
from activations.shard_writer import open_shard_writer
from activations.tables import ACTIVATION_INDEX
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings

SHARDS = {"1-of-2": 5, "2-of-2": 4}
LAYERS, WIDTH = 3, 8
ORIGIN = Origin("some/model", "a" * 40, "bfloat16", "e" * 64)


def random_rows(
    rows: int, dtype: torch.dtype, seed: int, layers: int = LAYERS
) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    sizes = ShardSizes(rows, layers, WIDTH)
    return {
        name: torch.randn(shape, generator=generator).to(kind)
        for name, (kind, shape) in sizes.tensors(dtype).items()
        if not name.startswith("mean")
    }


def index_of(shard: str, rows: int) -> pl.DataFrame:
    return ACTIVATION_INDEX.frame(
        [
            {"row": k, "shard": shard, "trace": f"{shard}/{k // 2}"}
            | {"event": k % 2, "token": 10 + k}
            for k in range(rows)
        ]
    )


class Stored:
    """A cache of two shards in a folder."""

    def __init__(self, folder: Path, dtype: torch.dtype = torch.bfloat16) -> None:
        self.index_path = folder / "index.parquet"
        self.paths = [folder / f"{shard}.safetensors" for shard in SHARDS]
        self.rows = {}
        self.sums = {}
        for seed, (shard, count) in enumerate(SHARDS.items()):
            rows = self.rows[shard] = random_rows(count, dtype, seed)
            total = torch.full((LAYERS + 1, WIDTH), 1.0 + seed, dtype=torch.float64)
            self.sums[shard] = total
            sizes = ShardSizes(count, LAYERS, WIDTH)
            path = folder / f"{shard}.safetensors"
            with open_shard_writer(path, shard, ORIGIN, sizes, dtype) as writer:
                for first, stop in ((2, count), (0, 2)):
                    part = {name: rows[name][first:stop] for name in rows}
                    writer.write_rows(first, part)
                writer.write_means(total, 3 * total[:-1], 10 * (seed + 1))
        self.index = pl.concat([index_of(*item) for item in SHARDS.items()])
        ACTIVATION_INDEX.write(self.index, self.index_path)

    def open(self, origin: Origin = ORIGIN) -> ActivationCache:
        return ActivationCache(self.index_path, self.paths, origin)


@pytest.fixture
def stored(tmp_path) -> Stored:
    return Stored(tmp_path)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_library_reads_the_files(tmp_path, dtype):
    stored = Stored(tmp_path, dtype)
    for path, rows in zip(stored.paths, stored.rows.values(), strict=True):
        found = load_file(path)
        for name, values in rows.items():
            assert found[name].dtype == values.dtype
            assert torch.equal(found[name], values)


@pytest.mark.parametrize("name", ["resid", "attn_out", "mlp_out", "final_scale"])
def test_rows_come_in_the_order_of_the_events(stored, name):
    cache = stored.open()
    everything = torch.cat([rows[name] for rows in stored.rows.values()])
    order = [8, 0, 3, 4, 1, 1, 5, 2]
    assert torch.equal(cache.read(name, stored.index[order]), everything[order])


def test_one_layer(stored):
    cache = stored.open()
    everything = torch.cat([rows["resid"] for rows in stored.rows.values()])
    for layer in range(LAYERS + 1):
        found = cache.read("resid", stored.index, layer=layer)
        assert torch.equal(found, everything[:, layer])


def test_no_events_give_no_rows(stored):
    assert stored.open().read("resid", stored.index.head(0)).shape == (0, 4, 8)
    assert stored.open().read("mlp_out", stored.index.head(0), 1).shape == (0, 8)


def test_mean_is_over_all_shards_together(stored):
    wanted = sum(stored.sums.values()) / (10 + 20)
    assert torch.equal(stored.open().mean_resid(), wanted)


def test_means_of_the_parts_add_up_to_the_next_boundary(stored):
    means = stored.open().means()
    # The stored sums of attn_out are three times those of resid.
    assert torch.allclose(means["attn_out"], 3 * means["resid"][:-1])
    total = means["resid"][:-1] + means["attn_out"] + means["mlp_out"]
    assert torch.allclose(total, means["resid"][1:])
    assert means["mlp_out"].shape == (LAYERS, WIDTH)


def test_mean_of_nothing_is_refused(tmp_path):
    sizes = ShardSizes(0, LAYERS, WIDTH)
    path = tmp_path / "1-of-1.safetensors"
    with open_shard_writer(path, "1-of-1", ORIGIN, sizes, torch.float32) as writer:
        zeros = torch.zeros(LAYERS + 1, WIDTH, dtype=torch.float64)
        writer.write_means(zeros, zeros[:-1], 0)
    ACTIVATION_INDEX.write(ACTIVATION_INDEX.frame([]), tmp_path / "index.parquet")
    cache = ActivationCache(tmp_path / "index.parquet", [path], ORIGIN)
    assert cache.read("resid", ACTIVATION_INDEX.frame([])).shape == (0, 4, 8)
    with pytest.raises(InputError, match="calibration"):
        cache.mean_resid()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("source", "another/model"),
        ("revision", "b" * 40),
        ("dtype", "float32"),
        ("events", "f" * 64),
    ],
)
def test_other_origin_is_refused_by_name(stored, key, value):
    with pytest.raises(InputError, match=rf"1-of-2\.safetensors.*another {key}"):
        stored.open(replace(ORIGIN, **{key: value}))


def test_unknown_event_is_refused_by_name(stored):
    events = pl.DataFrame({"trace": ["1-of-2/0", "7/0"], "event": [0, 3]})
    events = events.cast({"event": pl.Int32})
    with pytest.raises(InputError, match="event 3 of trace 7/0"):
        stored.open().read("resid", events)


def test_truncated_file_is_refused(stored):
    path = stored.paths[1]
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match=r"2-of-2\.safetensors: damaged"):
        stored.open()


def read_all(stored):
    """All tensors that a reader can read."""
    cache = stored.open()
    tensors = {name: cache.read(name, stored.index) for name in PER_ROW}
    return tensors | {"mean": cache.means()["resid"]}


def test_a_flipped_bit_is_noticed_anywhere(stored):
    path = stored.paths[1]
    data = path.read_bytes()
    for at in range(0, len(data), 5):  # all bits of a byte in turn
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        path.write_bytes(flipped)
        with pytest.raises(InputError, match=r"2-of-2\.safetensors"):
            read_all(stored)


def test_damage_of_one_row_leaves_other_reads_intact(stored):
    path = stored.paths[1]
    whole = read_all(stored)
    with safe_open(path, framework="pt") as file:
        raw = file.get_tensor("resid").view(torch.uint8).numpy().tobytes()
    data = bytearray(path.read_bytes())
    data[data.index(raw)] ^= 1  # row 0, layer 0
    path.write_bytes(data)
    cache = stored.open()
    assert torch.equal(cache.mean_resid(), whole["mean"])
    events = stored.index
    assert torch.equal(cache.read("resid", events, layer=1), whole["resid"][:, 1])
    with pytest.raises(InputError, match="is damaged"):
        cache.read("resid", events, layer=0)


def test_missing_file_is_refused(stored):
    stored.paths[1].unlink()
    with pytest.raises(InputError, match=r"2-of-2\.safetensors: damaged or missing"):
        stored.open()


def test_missing_shard_is_refused(stored):
    stored.paths.pop()
    with pytest.raises(InputError, match="no file of shard 2-of-2"):
        stored.open()


def test_index_of_other_length_is_refused(stored):
    ACTIVATION_INDEX.write(stored.index.head(8), stored.index_path)
    with pytest.raises(InputError, match=r"2-of-2\.safetensors: final_scale is \[4\]"):
        stored.open()


def test_shards_of_different_depth_are_refused(stored):
    sizes = ShardSizes(4, LAYERS + 1, WIDTH)
    path = stored.paths[1]
    with open_shard_writer(path, "2-of-2", ORIGIN, sizes, torch.bfloat16) as writer:
        writer.write_rows(0, random_rows(4, torch.bfloat16, 0, LAYERS + 1))
        zeros = torch.zeros(LAYERS + 2, WIDTH, dtype=torch.float64)
        writer.write_means(zeros, zeros[:-2], 1)
    with pytest.raises(InputError, match="different models"):
        stored.open()


def test_origin_follows_the_events(tmp_path):
    model = ModelSettings("folder", None, "float32", "cpu", "</think>", {})
    path = tmp_path / "events.parquet"
    path.write_bytes(b"one")
    first = Origin.of(model, path)
    path.write_bytes(b"two")
    assert first.revision == ""
    assert first.events != Origin.of(model, path).events
