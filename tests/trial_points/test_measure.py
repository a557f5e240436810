"""Trial points of hand-made traces against plain forward passes; checks and cost."""

import dataclasses
import json
import math
import shutil

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_traces import QUESTION, THOUGHT, make_trace

from doubletake.exit_rules.points import KINDS
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from problems.tables import PROBLEMS
from traces.tables import TRACES
from trial_points.kept_states import boundaries_at
from trial_points.measure import Settings, main
from trial_points.reading import PointStates, states_origin, thoughts_of
from trial_points.tables import TRIAL_POINTS, TRIAL_STATES

SETTINGS = Settings(
    kinds=["sentence", "paragraph", "cue", "arrival", "every"],
    every=8,
    most_points=None,
    max_tokens=6,
    layers=[0.3, 1.0],
    answer_prompt="\n</think>\n\nThe answer is \\boxed{",
    answer_stop="e",
    batch_memory=0.01,
    verification=Verification(share=0.01, minimum=3, seed=0),
)
TEXTS = [
    THOUGHT,
    "I cannot say.\n</think>\n\nThe answer is 19.",
    "So 19. Wait, 19. Or 19?\n\nI add 12 and 7 again",
    "</think>19",
]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trial-points")
    tokenizer = load_tokenizer(model)
    traces = [
        make_trace(tokenizer, text, name=f"{index:05d}/0")
        for index, text in enumerate(TEXTS)
    ]
    problems = [
        {
            "problem": trace["problem"],
            "question": QUESTION,
            "gold": "19",
            "solution": "12 + 7 = 19 #### 19",
        }
        for trace in traces
    ]
    TRACES.write(TRACES.frame(traces), folder / "traces.parquet")
    PROBLEMS.write(PROBLEMS.frame(problems), folder / "problems.parquet")
    return folder


def run(folder, model, shard="1-of-1", **changes):
    main(
        problems_path=folder / "problems.parquet",
        traces_path=folder / "traces.parquet",
        points_path=folder / f"{shard}.parquet",
        states_path=folder / f"{shard}.safetensors",
        state_rows_path=folder / f"{shard}.states.parquet",
        verification_path=folder / f"{shard}.verification.parquet",
        runs_path=folder / f"{shard}.runs.parquet",
        model=model,
        settings=dataclasses.replace(SETTINGS, **changes),
        shard=shard,
    )
    return TRIAL_POINTS.read(folder / f"{shard}.parquet").sort("trace", "point")


def checks_of(folder, shard="1-of-1"):
    return VERIFICATION.read(folder / f"{shard}.verification.parquet")


def note_of(folder):
    (cost,) = RUNS.read(folder / "1-of-1.runs.parquet").to_dicts()
    return cost["note"]


def test_points_equal_plain_forward_passes(folder, model):
    table = run(folder, model)
    tokenizer, hf = load_tokenizer(model), load_decoder(model).hf
    traces = TRACES.read(folder / "traces.parquet").rows_by_key("trace", named=True)
    (marker,) = tokenizer.encode("</think>")
    closing = tokenizer.encode("\n</think>\n\n")
    suffix = tokenizer.encode(SETTINGS.answer_prompt)
    assert suffix[: len(closing)] == closing
    assert table.height > 15
    for row in table.iter_rows(named=True):
        (trace,) = traces[row["trace"]]
        ids = (trace["prompt_ids"] + trace["completion_ids"])[: row["token"]]
        whole = [*ids, *suffix, *row["trial_ids"]]
        logits = hf(input_ids=torch.tensor([whole])).logits[0].double()
        logprobs = logits.log_softmax(-1)
        start = len(ids) + len(suffix)
        greedy = logits[start - 1 : -1].argmax(-1).tolist()
        assert row["trial_ids"] == greedy
        said = [float(logprobs[start - 1 + k, token]) for k, token in enumerate(greedy)]
        assert row["trial_logprobs"] == pytest.approx(said, abs=1e-4)
        after = logprobs[len(ids) + len(closing) - 1]
        bits = -float((after.exp() * after).sum()) / math.log(2)
        assert row["entropy"] == pytest.approx(bits, abs=1e-4)
        at = logprobs[len(ids) - 1]
        assert row["marker_logprob"] == pytest.approx(float(at[marker]), abs=1e-4)
        others = torch.cat([at[:marker], at[marker + 1 :]])
        best = float(others.max())
        assert row["best_other_logprob"] == pytest.approx(best, abs=1e-4)
        assert abs(row["marker_rank"] - int((others > at[marker]).sum())) <= 1
        closed = closing.index(marker) + 1
        total = sum(
            float(logprobs[len(ids) - 1 + k, closing[k]]) for k in range(closed)
        )
        assert row["closing_logprob"] == pytest.approx(total, abs=1e-4)


def test_chunks_add_up_to_the_thought(folder, model):
    table = run(folder, model)
    for (trace,), rows in table.group_by("trace"):
        text = TEXTS[int(trace.split("/")[0])]
        thought = text.split("</think>")[0].removesuffix("\n")
        assert "".join(rows.sort("point")["chunk"]) == thought
        assert (rows["tokens_read"] >= rows["tokens_before"]).all()
        assert rows["point"].to_list() == list(range(rows.height))


def test_shards_and_batches_change_nothing(folder, model):
    whole = run(folder, model)
    parts = pl.concat([run(folder, model, f"{k}-of-2") for k in (1, 2)])
    for other in (parts, run(folder, model, batch_memory=1e-9)):
        assert_frame_equal(other.sort("trace", "point"), whole, abs_tol=1e-4, rel_tol=0)


def test_a_shard_without_traces_writes_empty_tables(folder, model):
    assert run(folder, model, "7-of-9").height == 0
    checks = checks_of(folder, "7-of-9")
    assert checks["value"].null_count() == checks.height == 5
    assert checks["n"].to_list() == [0] * 5


def test_the_shard_verifies_itself_and_counts_its_tokens(folder, model):
    run(folder, model)
    assert checks_of(folder)["n"][3] == 3  # the minimum
    everything = Verification(share=9.0, minimum=10**6, seed=0)
    table = run(folder, model, verification=everything)
    checks = checks_of(folder)
    assert checks["n"].to_list() == [
        table["trial_tokens"].sum(),
        # Two at the point, and the line break and the marker.
        4 * table.height,
        table.height,
        table.height,
        # Two boundaries at each arrival and cue.
        2 * table.filter(pl.col("arrival") | pl.col("cue")).height,
    ]
    assert (checks["value"][:3] < 1e-3).all()
    assert checks["value"][3] == 0
    assert checks["value"][4] < 1e-3
    (cost,) = RUNS.read(folder / "1-of-1.runs.parquet").to_dicts()
    assert cost["traces"] == 4
    assert cost["tokens"] > table.height * 5
    assert cost["note"] == ""


def test_wrong_packing_is_found(folder, model, monkeypatch):
    """The checks fail where a point is read at another place."""
    from doubletake.model.packed_rows import PackedRows

    real = PackedRows.__init__

    def shifted(self, *args):
        real(self, *args)
        self.states_at_cuts = self.states_at_cuts.roll(1, 0)

    monkeypatch.setattr(PackedRows, "__init__", shifted)
    everything = Verification(share=9.0, minimum=10**6, seed=0)
    run(folder, model, verification=everything)
    checks = checks_of(folder)
    assert checks["value"][1] > checks["bound"][1]


def test_a_16_bit_model_has_no_bound(folder, model):
    run(folder, dataclasses.replace(model, dtype="bfloat16"))
    checks = checks_of(folder)
    assert checks["bound"].null_count() == checks.height
    assert checks["value"].null_count() == 0


def test_what_a_limit_leaves_out_is_told(folder, model, caplog):
    whole = run(folder, model)
    assert whole["left_out"].sum() == 0
    table = run(folder, model, most_points=4)
    counts = dict(whole.group_by("trace").len().iter_rows())
    left_out = 0
    for (trace,), rows in table.group_by("trace"):
        assert rows.height == min(4, counts[trace])
        assert rows["left_out"].unique().to_list() == [counts[trace] - rows.height]
        assert rows["end"].sum() == 1
        left_out += counts[trace] - rows.height
    assert note_of(folder) == f"most_points leaves out {left_out} points of 2 trace(s)"
    assert note_of(folder) in caplog.text


def test_a_trace_beyond_the_models_reach_is_refused_by_id(folder, model, tmp_path):
    short = tmp_path / "short-model"
    shutil.copytree(model.source, short)
    config = json.loads((short / "config.json").read_text())
    longest = run(folder, model)["token"].max()
    suffix = len(load_tokenizer(model).encode(SETTINGS.answer_prompt))
    config["max_position_embeddings"] = longest + suffix + SETTINGS.max_tokens - 1
    (short / "config.json").write_text(json.dumps(config))
    table = run(folder, dataclasses.replace(model, source=str(short)))
    assert table["trace"].n_unique() == 3
    assert note_of(folder) == "1 trace(s) refused as too long: 00000/0"


def test_thoughts_hold_what_a_rule_reads(folder, model):
    table = run(folder, model)
    traces = TRACES.read(folder / "traces.parquet")
    found = thoughts_of(table.reverse(), traces, {("00000/0", 1): 0.25})
    counts = dict(table.group_by("trace").len().iter_rows())
    assert {one.trace: len(one.points) for one in found} == counts
    assert [one.trace for one in found] == traces["trace"].to_list()
    rows = table.filter(trace="00000/0").to_dicts()
    for row, point in zip(rows, found[0].points, strict=True):
        assert point.token == row["tokens_before"]
        assert point.read == row["tokens_read"]
        assert point.kinds == {kind for kind in KINDS if row[kind]}
        assert point.trial_logprobs == tuple(row["trial_logprobs"])
        assert point.entropy == row["entropy"]
    assert [point.probe_score for point in found[0].points[:3]] == [None, 0.25, None]
    assert found[0].right.tolist() == [
        traces["correct"][0],
        *(row["correct"] for row in rows),
    ]
    assert found[0].tokens >= rows[-1]["tokens_before"]


def origin_of(folder, model):
    return states_origin(model, folder / "traces.parquet")


def opened(folder, model, shards=("1-of-1",)):
    tables = [TRIAL_STATES.read(folder / f"{one}.states.parquet") for one in shards]
    TRIAL_STATES.write(pl.concat(tables), folder / "states.parquet")
    paths = [folder / f"{one}.safetensors" for one in shards]
    return PointStates.open(folder / "states.parquet", paths, origin_of(folder, model))


def test_states_are_those_of_plain_forward_passes(folder, model):
    table = run(folder, model)
    decoder = load_decoder(model)
    states = opened(folder, model)
    last = decoder.n_layers
    assert states.boundaries == (round(0.3 * last), last)
    wanted = table.filter(pl.col("arrival") | pl.col("cue"))
    points = list(wanted.select("trace", "point").iter_rows())
    assert set(points) == set(states.places)
    assert wanted["cue"].any()
    assert wanted["arrival"].any()
    traces = TRACES.read(folder / "traces.parquet").rows_by_key("trace", named=True)
    found = states.read(points[::-1], states.boundaries)[::-1]
    for row, seen in zip(wanted.iter_rows(named=True), found, strict=True):
        (trace,) = traces[row["trace"]]
        ids = (trace["prompt_ids"] + trace["completion_ids"])[: row["token"]]
        plain = decoder.hf(input_ids=torch.tensor([ids]), output_hidden_states=True)
        inner = plain.hidden_states[states.boundaries[0]][0, -1]
        final = plain.hidden_states[-1][0, -1]
        assert torch.allclose(torch.tensor(seen[0]), inner, atol=1e-4)
        # The library gives the last state after the norm.
        normed = decoder.final_norm(torch.tensor(seen[1]))
        assert torch.allclose(normed, final, atol=1e-4)
    only = states.read(points, states.boundaries[1:])
    assert (only[:, 0] == found[:, 1]).all()


def test_states_do_not_depend_on_shards(folder, model):
    run(folder, model)
    whole = opened(folder, model)
    points = sorted(whole.places)
    expected = whole.read(points, whole.boundaries)
    for shard in ("1-of-2", "2-of-2"):
        run(folder, model, shard)
    parts = opened(folder, model, ("1-of-2", "2-of-2"))
    assert sorted(parts.places) == points
    assert parts.read(points, parts.boundaries) == pytest.approx(expected, abs=1e-4)


def test_states_keep_the_models_dtype_and_name_their_origin(folder, model):
    small = dataclasses.replace(model, dtype="bfloat16")
    run(folder, small)
    states = opened(folder, small)
    found = states.read(sorted(states.places), states.boundaries)
    assert (torch.tensor(found).bfloat16().float().numpy() == found).all()
    with pytest.raises(InputError, match="another dtype: 'bfloat16'"):
        opened(folder, model)
    path = folder / "1-of-1.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="resid does not match its digests"):
        opened(folder, small).read(sorted(states.places), states.boundaries)


def test_without_arrivals_and_cues_no_state_is_kept(folder, model):
    run(folder, model, kinds=["sentence"])
    assert opened(folder, model).places == {}


@pytest.mark.parametrize(
    ("shares", "layers", "expected"),
    [
        ([0.25, 0.5, 0.75, 1.0], 32, (8, 16, 24, 32)),
        ([1.0, 0.25, 0.5, 0.75], 9, (2, 4, 7, 9)),
        ([0.25, 0.5, 0.75, 1.0], 2, (0, 1, 2)),
        ([0], 5, (0,)),
    ],
)
def test_boundaries_at_shares_of_the_depth(shares, layers, expected):
    assert boundaries_at(shares, layers) == expected


def test_a_trial_is_fed_the_answer_prompt(folder, model):
    table = run(folder, model)
    suffix = len(load_tokenizer(model).encode(SETTINGS.answer_prompt))
    assert set(table["suffix_tokens"]) == {suffix}
