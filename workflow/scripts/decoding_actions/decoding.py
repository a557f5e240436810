"""Decodes thoughts again, with the study's random numbers and maybe an action."""

from collections.abc import Sequence

from decoding_actions.actions import Action
from decoding_actions.drawn_thoughts import DrawnThought
from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_rows import Completion


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
        request = GenerationRequest(one.name, one.trace["prompt_ids"], limit)
        if action is not None and action.word is not None:
            ids = one.prolonged(tokenizer, action.word)
            if ids is None or len(ids) >= limit:
                continue
            request = request.begun(ids, [0.0] * len(ids))  # log-probs are not read
        requests.append(request)
    return requests


def decode(
    decoder: Decoder,
    requests: list[GenerationRequest],
    action: Action | None,
    sampling: Sampling,
    stop_ids: set[int],
    batch_size: int,
    progress: Progress,
) -> dict[str, Completion]:
    """Completions of all requests, by trace."""
    completions = {}
    steering = action.steering if action else None
    for completion, tokens in generate(
        decoder.hf, requests, sampling, stop_ids, batch_size, steering=steering
    ):
        if completion is not None:
            completions[completion.trace] = completion
        progress.update(completion is not None, tokens)
    return completions
