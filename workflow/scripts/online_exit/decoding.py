"""Thoughts that are decoded together, each watched by one exit rule."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from doubletake.model.branch_rows import continue_branches
from doubletake.model.branches import Branch, Prefix
from doubletake.model.continuations import Continuation
from doubletake.model.continuous_batching import Slots
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.token_sampling import Sampling
from doubletake.running.errors import InputError
from doubletake.text.trace_rows import Completion, TracePrompt
from online_exit.running_branches import Look, continue_running
from online_exit.watched_thoughts import WatchedThought

logger = logging.getLogger("measure_online_exit")


@dataclass(frozen=True)
class Engine:
    """The model, and how much it does at the same time."""

    decoder: Decoder
    stop_ids: set[int]
    """Tokens that end a completion."""
    max_new_tokens: int
    """Longest completion."""
    batch_size: int
    """Thoughts that are decoded at the same time."""
    batch_memory: float
    """Memory for looks in addition to the model and the thoughts, in GiB."""

    @torch.inference_mode()
    def decode(
        self, thoughts: Sequence[WatchedThought], sampling: Sampling
    ) -> Iterator[tuple[WatchedThought | None, int]]:
        """Decode thoughts until their rules stop them, or they end.

        A trace has the same random numbers under every rule.

        Args:
            thoughts: with different names.
            sampling: how tokens are chosen.

        Yields:
            A thought that has ended, or None; tokens of thoughts computed since. A
            thought whose tokens are no text is left out.

        Raises:
            InputError: a GPU has not enough memory.
        """
        running = {one.name: one for one in thoughts if not one.ended}
        for one in thoughts:
            if one.ended:
                yield one, 0
        waiting = deque(self._request(one) for one in running.values())
        slots = Slots(self.decoder.hf, self.batch_size, sampling, self.stop_ids)
        while waiting or slots.active:
            before = slots.tokens_computed
            try:
                ended = slots.fill(waiting)
                self._look(slots, running)
                if slots.active:
                    ended += slots.step()
                    self._look(slots, running)
            except torch.cuda.OutOfMemoryError as error:
                raise InputError(
                    "online_exit: out of GPU memory; lower generation.batch_size"
                ) from error
            yield None, slots.tokens_computed - before
            for completion in ended:
                self._finish(running, completion)
            for name in [name for name, one in running.items() if one.ended]:
                yield running.pop(name), 0

    def limit(self, prompt: TracePrompt) -> int:
        """Longest completion of a prompt."""
        room = self.decoder.max_positions - len(prompt.prompt_ids)
        return min(self.max_new_tokens, room)

    def _request(self, thought: WatchedThought) -> GenerationRequest:
        prompt = thought.prompt
        ids, limit = prompt.prompt_ids, self.limit(prompt)
        return GenerationRequest(thought.name, ids, limit, draws=prompt.trace)

    def _look(self, slots: Slots, running: dict[str, WatchedThought]) -> None:
        """Show the rules what is new; free the slots of the thoughts that end."""
        asking: list[tuple[int, WatchedThought]] = []
        for slot, state in enumerate(slots.states):
            if state is not None:
                thought = running[state.request.trace]
                for token in state.ids[len(thought.ids) :]:
                    thought.add(token)
                asking.append((slot, thought))
        watched = asking
        while asking:
            asks = [(slot, one, one.next_ask()) for slot, one in asking]
            open_asks = [(slot, one, ask) for slot, one, ask in asks if ask]
            looks = [
                Look(slot, [*one.prompt.prompt_ids, *one.ids], ask.branch)
                for slot, one, ask in open_asks
            ]
            said = continue_running(self.decoder, slots, looks, self.batch_memory)
            for (_, one, ask), continuation in zip(open_asks, said, strict=True):
                one.answer(ask, continuation)
            asking = [(slot, one) for slot, one, _ in open_asks]
        for slot, thought in watched:
            if thought.ended:
                slots.end(slot)

    def _finish(
        self, running: dict[str, WatchedThought], completion: Completion
    ) -> None:
        """Show the rule the last points of a completion that has left its slot."""
        thought = running[completion.trace]
        for token in completion.ids[len(thought.ids) :]:
            thought.add(token)
        try:
            thought.finish(completion)
        except InputError as error:
            logger.warning("%s left out: %s", thought.name, error)
            del running[thought.name]
            return
        while ask := thought.next_ask():
            ids = [*thought.prompt.prompt_ids, *thought.ids]
            said = look_alone(self.decoder, ids, ask.branch, self.batch_memory)
            thought.answer(ask, said)


def look_alone(
    decoder: Decoder, ids: Sequence[int], branch: Branch, batch_memory: float
) -> Continuation:
    """What a branch says, without the keys of the running thought.

    The whole prefix is read again.

    Args:
        decoder: the model.
        ids: tokens of prompt and completion.
        branch: as in `Look`.
        batch_memory: memory in addition to the model, in GiB.
    """
    # A branch of a prefix reads a token and adds one, at least.
    suffix, tokens = branch.suffix or (ids[0],), max(1, branch.max_tokens)
    whole = replace(branch, suffix=suffix, max_tokens=tokens)
    prefix = Prefix("", ids, [whole])
    ((_, (said,)),) = continue_branches(decoder, [prefix], batch_memory)
    return said
