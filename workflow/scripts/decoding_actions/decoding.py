"""Decodes thoughts again, with the study's random numbers and maybe an action.

All actions are decoded together, so that the batch stays full.
"""

from collections.abc import Iterable, Sequence

from decoding_actions.actions import Action
from decoding_actions.steering import Together
from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import Completion

PLAIN = ""
"""Name of completions without an action."""

Completions = dict[tuple[str, str], Completion]
"""By the name of the action and the trace."""


def requests_of(
    thoughts: Sequence[DrawnThought],
    action: Action | None,
    tokenizer: TraceTokenizer,
    max_new_tokens: int,
    max_positions: int,
) -> list[GenerationRequest]:
    """What is generated. A thought that cannot be prolonged is left out."""
    requests = []
    for one in thoughts:
        limit = one.limit(max_new_tokens, max_positions)
        name, ids = action.name if action else PLAIN, []
        if action is not None and action.word is not None:
            prolonged = one.prolonged(tokenizer, action.word)
            if prolonged is None or len(prolonged) >= limit:
                continue
            ids = prolonged
        zeros = [0.0] * len(ids)  # log-probs are not read
        prompt = one.trace["prompt_ids"]
        requests.append(
            GenerationRequest(one.name, prompt, limit, ids, zeros, name=name)
        )
    return requests


def decode(
    decoder: Decoder,
    requests: list[GenerationRequest],
    actions: Iterable[Action],
    sampling: Sampling,
    stop_ids: set[int],
    batch_size: int,
    progress: Progress,
) -> Completions:
    """Completions of all requests."""
    completions = {}
    steering = Together({one.name: one.steering for one in actions if one.steering})
    for completion, tokens in generate(
        decoder.hf, requests, sampling, stop_ids, batch_size, steering=steering
    ):
        if completion is not None:
            completions[completion.name, completion.trace] = completion
        progress.update(completion is not None, tokens)
    return completions
