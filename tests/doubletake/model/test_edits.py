"""Edits of branches against hooks in plain passes of single sequences."""

import pytest
import torch
from tiny_architectures import settings_of
from tiny_branches import ids_of, pairs, said_by

from doubletake.model.branch_rows import replay_unpacked
from doubletake.model.branches import Branch, Prefix
from doubletake.model.edits import Edit, edited
from doubletake.model.hooks import record
from doubletake.model.loading import load_decoder

WIDTH = 32
STEP = torch.linspace(-1, 1, WIDTH)


def steer(states):
    return states + STEP


def erase(states):
    return torch.zeros_like(states)


def double(states):
    return 2 * states


EDITS = {
    "resid": Edit(1, "resid", steer),
    "attention": Edit(0, "attn_out", erase),
    "mlp": Edit(2, "mlp_out", double, start=1),
    "before the final norm": Edit(3, "resid", steer),
    "suffix": Edit(1, "resid", erase, stop=3),
    "continuation": Edit(1, "mlp_out", steer, start=3),
    "one token": Edit(0, "resid", steer, start=4, stop=5),
}


@pytest.fixture(scope="module", params=["llama", "gemma2", "qwen3_moe"])
def decoder(request, architectures):
    torch.set_num_threads(1)
    return load_decoder(settings_of(architectures[request.param]))


@torch.inference_mode()
def edited_greedy(decoder, ids, cut, edits, count):
    """Greedy decoding by plain passes; the edits are written here once more."""
    ids, rows = list(ids), []

    def hook_of(edit):
        def change(states):
            end = None if edit.stop is None else cut + edit.stop
            states = states.clone()
            own = slice(cut + edit.start, end)
            states[0, own] = edit.change(states[0, own])
            return states

        if edit.part == "resid":
            modules = [*decoder.layers, decoder.final_norm]
            return modules[edit.layer].register_forward_pre_hook(
                lambda _, inputs: (change(inputs[0]), *inputs[1:])
            )
        writes = {"attn_out": decoder.attention_write, "mlp_out": decoder.mlp_write}
        return writes[edit.part](edit.layer).register_forward_hook(
            lambda _, __, output: (
                (change(output[0]), *output[1:])
                if isinstance(output, tuple)
                else change(output)
            )
        )

    hooks = [hook_of(edit) for edit in edits]
    for _ in range(count):
        rows.append(decoder.hf(torch.tensor([ids]), use_cache=False).logits[0, -1])
        ids.append(int(rows[-1].argmax()))
    for hook in hooks:
        hook.remove()
    return ids[-count:], torch.stack(rows).float()


def edited_prefixes():
    """Every edit alone, all together, and branches without any between them."""
    one, other = ids_of(20, 1), ids_of(9, 2)
    suffix = (5, 6, 7)
    plain = Branch(9, suffix, 6)
    first = [plain]
    for edit in EDITS.values():
        first += [Branch(15, suffix, 6, edits=(edit,)), Branch(15, suffix, 6)]
    everything = tuple(EDITS.values())
    second = [Branch(9, suffix, 6, edits=everything), plain]
    second += [Branch(7, suffix, 6, edits=everything[::-1])]
    return [Prefix("0/0", one, first), Prefix("1/0", other, second)]


def test_edits_change_their_branch_as_in_a_plain_pass(decoder):
    prefixes = edited_prefixes()
    for prefix, branch, one in pairs(prefixes, said_by(decoder, prefixes)):
        start = [*prefix.ids[: branch.cut], *branch.suffix]
        tokens, logits = edited_greedy(decoder, start, branch.cut, branch.edits, 6)
        assert one.tokens == tokens
        wanted = logits.gather(1, torch.tensor(tokens)[:, None])[:, 0]
        assert one.logits == pytest.approx(wanted.tolist(), abs=1e-4)
        replayed, choices = replay_unpacked(decoder, prefix.ids, branch, tokens)
        assert choices == tokens
        assert one.logits == pytest.approx(replayed.logits, abs=1e-4)


def test_every_edit_has_an_effect(decoder):
    """Without this, the test above could compare branches that no edit reaches."""
    (said, _) = said_by(decoder, edited_prefixes())
    for changed, plain in zip(said[1::2], said[2::2], strict=True):
        distance = [
            abs(one - other)
            for one, other in zip(changed.logits, plain.logits, strict=True)
        ]
        assert max(distance) > 1e-2


def test_edits_of_a_place_are_made_in_the_branchs_order(decoder):
    first, second = Edit(1, "resid", steer), Edit(1, "resid", double)
    ids = ids_of(12, 5)
    third = Edit(1, "resid", steer, start=1)
    orders = [(first, second), (second, first), (third, second)]
    branches = [Branch(12, (3, 4, 5), 4, edits=order) for order in orders]
    (said,) = said_by(decoder, [Prefix("a", ids, branches)])
    for branch, one in zip(branches, said, strict=True):
        start = [*ids, *branch.suffix]
        tokens, logits = edited_greedy(decoder, start, 12, branch.edits, 4)
        assert one.tokens == tokens
        wanted = logits.gather(1, torch.tensor(tokens)[:, None])[:, 0]
        assert one.logits == pytest.approx(wanted.tolist(), abs=1e-4)
    assert said[0].logits != pytest.approx(said[1].logits, abs=1e-2)


def hooks_of(decoder):
    modules = list(decoder.hf.modules())
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules)


def test_only_places_with_an_edit_get_a_hook(decoder):
    before = hooks_of(decoder)
    with edited(decoder, []):
        assert hooks_of(decoder) == before
    edits = [(0, edit, (0, k)) for edit in EDITS.values() for k in (1, 2)]
    with edited(decoder, edits):
        assert hooks_of(decoder) == before + 6  # of seven edits, two share a place
    assert hooks_of(decoder) == before


@torch.inference_mode()
def test_other_tokens_keep_their_states(decoder):
    ids = torch.tensor([ids_of(6, 1), ids_of(6, 2)])
    with record(decoder) as plain:
        decoder.base(ids)
    edits = [(0, Edit(1, "resid", steer), cell) for cell in ((0, 4), (1, 2))]
    with edited(decoder, edits), record(decoder) as changed:
        decoder.base(ids)
    difference = (changed["resid"][1] - plain["resid"][1]).abs().amax(-1) > 1e-6
    assert difference.nonzero().tolist() == [[0, 4], [1, 2]]
