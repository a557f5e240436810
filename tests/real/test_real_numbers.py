"""The numbers of every experiment, compared with plain passes of the real model."""

import polars as pl
import pytest
import torch
from real_study import spread

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def decisions(study):
    """Three selected backtracks of different traces."""
    turns = study.table("turns").filter("selected", kind="backtrack")
    return spread(turns.sort("trace", "event"), 3)


def states_of(study, ids):
    """Layer inputs, the normed last state, and the logits of a plain pass."""
    with torch.no_grad():
        found = study.model(ids, output_hidden_states=True)
    return found.hidden_states[:-1], found.hidden_states[-1], found.logits


def nearly(found, expected, share):
    """Assert equality up to a share of the norm of `expected`."""
    assert found.shape == expected.shape
    assert (found - expected).norm() <= share * expected.norm()


def test_cached_activations_are_those_of_a_plain_pass(study, decisions):
    for row in decisions:
        inputs, last, _ = states_of(study, study.ids(row["trace"]))
        place = pl.DataFrame({key: [row[key]] for key in ("trace", "event")})
        cached = study.cache.read("resid", place)[0].float()
        assert len(cached) == len(inputs) + 1
        for boundary, states in enumerate(inputs):
            nearly(cached[boundary], states[0, row["position"]], 1e-4)
        normed = study.model.model.norm(cached[-1])
        nearly(normed, last[0, row["position"]], 1e-4)


def test_the_logit_lens_is_norm_and_unembedding_of_each_boundary(study, decisions):
    lens = study.table("logit_lens")
    for row in decisions:
        inputs, _, logits = states_of(
            study, study.ids(row["trace"], row["position"] + 1)
        )
        mine = lens.filter(trace=row["trace"], event=row["event"])
        resid = mine.filter(component="resid").sort("layer")
        rows = [
            *(study.model.lm_head(study.model.model.norm(x[0, -1])) for x in inputs),
            logits[0, -1],
        ]
        for group in ("backtrack", "wrap_up"):
            words = study.words(group)
            weights = rows[-1][words].softmax(0)
            expected = [float(weights @ x[words] - x.mean()) for x in rows]
            assert resid[group].to_list() == pytest.approx(expected, abs=5e-3)
            # The contributions of all parts add up to the model's logit.
            parts = mine.filter(pl.col("component") != "resid")
            assert parts[group].sum() == pytest.approx(expected[-1], abs=5e-3)


def test_attention_is_that_of_the_eager_model(study, decisions):
    table = study.table("attention")
    bins = ["bos", "question", *(f"part_{k}" for k in range(1, 6)), "current_sentence"]
    for row in decisions:
        ids = study.ids(row["trace"], row["position"] + 1)
        with torch.no_grad():
            weights = study.model(ids, output_attentions=True).attentions
        mine = table.filter(trace=row["trace"], event=row["event"]).sort("layer")
        assert mine.height == len(weights)
        # Bins follow one another, so their widths show which tokens belong to each.
        for layer, cells in enumerate(mine.iter_rows(named=True)):
            rows, start = weights[layer][0, :, -1], 0
            for name, width in zip(bins, cells["tokens"], strict=False):
                expected = rows[:, start : start + width].sum(1)
                found = torch.tensor(cells[name])
                torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
                start += width
            assert start == ids.shape[1]


def test_looking_back_is_that_of_the_eager_model(study, decisions):
    """Of each important word: its tokens, and the attention of the next words to it."""
    looks, words = study.table("look_back"), study.table("look_back/words")
    for row in decisions[:2]:
        key = {"trace": row["trace"], "event": row["event"]}
        look = looks.filter(**key).row(0, named=True)
        stop = row["position"] + 1 + look["next_tokens"]
        ids = study.ids(row["trace"], stop)
        with torch.no_grad():
            weights = torch.stack(study.model(ids, output_attentions=True).attentions)
        rows = weights[:, 0, :, row["position"] + 1 :].double()
        rest = rows[..., 1:].sum()
        assert look["first_token"] == pytest.approx(
            rows[..., 0].mean().item(), abs=1e-4
        )
        for word in words.filter(**key).iter_rows(named=True):
            span = slice(word["token"], word["token"] + word["tokens"])
            text = study.tokenizer.decode(ids[0, span]).lower().replace(",", "")
            assert word["word"] in text.replace("\u2019", "'")
            expected = (rows[..., span].sum() / rest).item()
            assert word["share"] == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_what_heads_write_is_attributed_directly(study, decisions):
    model, table = study.model, study.table("attention")
    (row, *_) = decisions
    kept = {}
    handles = [
        layer.self_attn.o_proj.register_forward_pre_hook(
            lambda _, inputs, place=place: kept.update({place: inputs[0][0, -1]})
        )
        for place, layer in enumerate(model.model.layers)
    ]
    last = []
    handles.append(
        model.model.norm.register_forward_pre_hook(
            lambda _, inputs: last.append(inputs[0][0, -1])
        )
    )
    with torch.no_grad():
        model(study.ids(row["trace"], row["position"] + 1))
    for handle in handles:
        handle.remove()
    scale = torch.rsqrt(last[0].square().mean() + model.config.rms_norm_eps)
    final = model.lm_head(model.model.norm(last[0]))
    heads = model.config.num_attention_heads
    mine = table.filter(trace=row["trace"], event=row["event"]).sort("layer")
    mean = model.lm_head.weight.mean(0)
    for group in ("backtrack", "wrap_up", "vocabulary"):
        reads = mean
        if group != "vocabulary":
            words = study.words(group)
            reads = final[words].softmax(0) @ model.lm_head.weight[words] - mean
        reads = reads * model.model.norm.weight * scale
        for place, layer in enumerate(model.model.layers):
            columns = (reads @ layer.self_attn.o_proj.weight).view(heads, -1)
            expected = (kept[place].view(heads, -1) * columns).sum(1)
            found = torch.tensor(mine[f"dla_{group}"][place].to_list())
            torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def gradients_of(study, ids):
    """Layer inputs, and the gradient of the metric with respect to each."""
    embedded = study.model.model.embed_tokens(ids).detach().requires_grad_()
    found = study.model(inputs_embeds=embedded, output_hidden_states=True)
    inputs = found.hidden_states[:-1]
    slopes = torch.autograd.grad(study.log_odds(found.logits[0, -1]), inputs)
    return torch.stack([x[0].detach() for x in inputs]), torch.stack(slopes)[:, 0]


def test_attribution_is_the_gradient_times_the_way_to_the_mean(study, decisions):
    means = study.cache.mean_resid()[:-1].float()
    scores = study.table("attribution").filter(component="resid")
    for row in decisions[:2]:
        states, slopes = gradients_of(
            study, study.ids(row["trace"], row["position"] + 1)
        )
        expected = (slopes * (means[:, None] - states)).sum(-1)
        mine = scores.filter(trace=row["trace"], event=row["event"]).sort("layer")
        found = torch.tensor(mine["scores"].to_list())
        at_position = torch.tensor(mine["position_score"].to_list())
        nearly(found, expected[:, :-1], 1e-3)
        nearly(at_position, expected[:, -1], 1e-3)


def with_state(study, ids, layer, token, state):
    """The metric after the state of one token before a layer is replaced."""

    def put(_, inputs):
        states = inputs[0].clone()
        states[0, token] = state(states[0, token])
        return (states, *inputs[1:])

    handle = study.model.model.layers[layer].register_forward_pre_hook(put)
    try:
        with torch.no_grad():
            return float(study.log_odds(study.model(ids).logits[0, -1]))
    finally:
        handle.remove()


def test_attribution_is_the_slope_of_the_patched_model(study, decisions):
    """Central differences at the strongest earlier token of three layers."""
    means = study.cache.mean_resid().float()
    row = decisions[0]
    ids = study.ids(row["trace"], row["position"] + 1)
    mine = study.table("attribution").filter(
        trace=row["trace"], event=row["event"], component="resid"
    )
    for cells in spread(mine.sort("layer"), 3):
        scores, layer = torch.tensor(cells["scores"]), cells["layer"]
        token, step = int(scores.abs().argmax()), 0.02
        up, down = (
            with_state(
                study,
                ids,
                layer,
                token,
                lambda x, by=by, layer=layer: x + by * (means[layer] - x),
            )
            for by in (step, -step)
        )
        slope = (up - down) / (2 * step)
        assert slope == pytest.approx(float(scores[token]), rel=0.05, abs=2e-3)


def test_exact_patching_puts_the_mean_in_place(study):
    means = study.cache.mean_resid().float()
    cells = study.table("attribution/cells").filter(component="resid")
    turns = study.table("turns").rows_by_key(
        ["trace", "event"], named=True, unique=True
    )
    for row in spread(cells.sort("layer", "token"), 3):
        position = turns[row["trace"], row["event"]]["position"]
        ids = study.ids(row["trace"], position + 1)
        layer = row["layer"]
        clean, patched = (
            with_state(study, ids, layer, row["token"], state)
            for state in (lambda x: x, lambda _, layer=layer: means[layer])
        )
        assert row["exact"] == pytest.approx(patched - clean, abs=2e-3)


def test_value_vectors_are_columns_of_the_down_projection(study):
    vectors = study.table("value_vectors")
    layers = study.model.model.layers
    columns = [
        layers[layer].mlp.down_proj.weight[:, unit]
        for layer, unit in vectors.select("layer", "vector").iter_rows()
    ]
    assert columns
    norms = [float(column.norm()) for column in columns]
    assert vectors["norm"].to_list() == pytest.approx(norms, rel=1e-4)


def test_zeroing_value_vectors_changes_a_plain_pass_alike(study):
    turns, sets = study.table("turns"), study.table("value_vectors/sets")
    rows = study.table("value_vectors/interventions").filter(pl.col("draw") < 2)
    assert rows.height
    back = study.words("backtrack")
    for row in spread(rows.sort("trace", "event", "side", "draw"), 3):
        key = {name: row[name] for name in ("layer", "side", "draw")}
        (units,) = sets.filter(**key)["vectors"].to_list()
        (turn,) = turns.filter(trace=row["trace"], event=row["event"]).to_dicts()
        ids = study.ids(row["trace"], turn["position"] + 1)

        def zero(_, inputs, units=units):
            acts = inputs[0].clone()
            acts[0, -1, units] = 0
            return (acts,)

        with torch.no_grad():
            clean = study.model(ids).logits[0, -1]
            down = study.model.model.layers[row["layer"]].mlp.down_proj
            handle = down.register_forward_pre_hook(zero)
            changed = study.model(ids).logits[0, -1]
            handle.remove()
        before, after = (
            float(logits.double().softmax(0)[back].sum().logit())
            for logits in (clean, changed)
        )
        assert row["log_odds"] == pytest.approx(before, abs=1e-3)
        assert row["log_odds_change"] == pytest.approx(after - before, abs=1e-3)
