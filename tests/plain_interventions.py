"""Decoding with interventions by plain hooks, one completion and one pass at a time.

The reference for the interventions of the engine: every token comes from a pass over
the whole sequence, without a cache, padding or rows beside it.
"""

import torch

from doubletake.model.interventions import Intervention, Positions
from doubletake.model.token_sampling import choose_tokens
from doubletake.stats.draws import uniforms


def changed(one, states):
    """The definition, in float64: [token, width]."""
    new = states.double()
    if one.removed is not None:
        unit = one.removed.double()
        new = new - one.share * (new @ unit)[:, None] * unit
    if one.factors is not None:
        factors = one.factors.double()
        new = new * factors.repeat_interleave(states.shape[-1] // len(factors))
    if one.added is not None:
        new = new + one.added.double()
    return new.to(states.dtype)


def handle_of(decoder, one, columns):
    """Register a hook that changes some columns of the only row."""

    def edit(states):
        states = states.clone()
        states[0, columns] = changed(one, states[0, columns])
        return states

    def before(_, inputs, named):
        if inputs:
            return (edit(inputs[0]), *inputs[1:]), named
        return inputs, named | {"hidden_states": edit(named["hidden_states"])}

    def after(_, __, output):
        if isinstance(output, tuple):
            return (edit(output[0]), *output[1:])
        return edit(output)

    if one.part in ("attn_out", "mlp_out"):
        writes = {"attn_out": decoder.attention_write, "mlp_out": decoder.mlp_write}
        return writes[one.part](one.layer).register_forward_hook(after)
    inner = {"heads": decoder.attention_out, "units": decoder.mlp_down}
    resid = [*decoder.layers, decoder.final_norm]
    module = resid[one.layer] if one.part == "resid" else inner[one.part](one.layer)
    return module.register_forward_pre_hook(before, with_kwargs=True)


@torch.inference_mode()
def plain_decoding(decoder, request, sampling, stops, acts):
    """Tokens and log-probs of one completion.

    Args:
        acts: says of an intervention and a position whether it acts there.
    """
    ids = [*request.prompt_ids, *request.ids]
    last_given, logprobs = len(ids) - 1, list(request.logprobs)
    uniform = uniforms(sampling.seed, request.trace, request.max_new_tokens)
    while len(ids) - len(request.prompt_ids) < request.max_new_tokens:
        handles = []
        for one in request.interventions:
            positions = range(len(ids) - last_given)
            columns = [last_given + p for p in positions if acts(one, p)]
            if columns:
                handles.append(handle_of(decoder, one, columns))
        logits = decoder.hf(torch.tensor([ids]), use_cache=False).logits[:, -1].float()
        for handle in handles:
            handle.remove()
        allowed = logits.clone()
        for word in request.words:
            for token in word.ids:
                allowed[0, token] += word.change
        number = torch.tensor([uniform[len(ids) - len(request.prompt_ids)]])
        token = int(choose_tokens(allowed, number, sampling))
        if token in stops:
            break
        logprobs.append(float(logits.double().log_softmax(-1)[0, token]))
        ids.append(token)
    return ids[len(request.prompt_ids) :], logprobs


def acts(one, position):
    """Whether an intervention acts at a position that no text decides."""
    count = one.positions.count
    return {
        "every": True,
        "prompt_end": position == 0,
        "first": position < count,
        "from": position >= count,
    }[one.positions.kind]


def vector(width, seed, norm=3.0):
    """A random vector [width] of a norm."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(width, generator=generator)
    return norm * drawn / drawn.norm()


def added(model, part, layer, width, positions=None, seed=0, norm=3.0):
    """An intervention that adds a random vector."""
    positions = positions or Positions("every")
    step = vector(width, seed, norm)
    return Intervention(f"add-{part}", layer, part, positions, model, added=step)
