"""Checkpoints of a shard's generation, from which the next attempt goes on.

A checkpoint is one file in safetensors format. It holds the finished completions, the
tokens of the completions under way, and their keys and values up to `CACHE_BYTES`. It
appears complete or not at all, and is replaced about once a minute. So a killed job
loses a minute of work at most.

The file is not an output of the rule, so Snakemake does not remove it after a failure.
It holds a key, which stands for everything that decides the thoughts, and a digest of
its content. A file with another key or another digest is removed. It is also removed
when the shard's traces are complete.
"""

import hashlib
import json
import logging
import time
from collections import deque
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from doubletake.model.generation_state import GenerationRequest, GenerationState
from doubletake.running.errors import InputError
from doubletake.running.files import remove_abandoned, replacing
from doubletake.text.trace_rows import Completion

logger = logging.getLogger("doubletake")

SECONDS = 45.0
"""Time between two checkpoints. With the time to write one it is a minute at most."""
CACHE_BYTES = 1024**3
"""Largest size of keys and values in a checkpoint; larger ones are computed again. A
disk that takes 200 MB/s needs five seconds for this size."""
TOKENS = ("lengths", "ids", "logprobs")
"""Tensors with the tokens of all completions; all other tensors are of the slots."""


class Checkpoint:
    """The checkpoint of one shard: what it holds, and when it is written again."""

    def __init__(
        self,
        path: Path,
        key: str,
        requests: list[GenerationRequest],
        batch_size: int,
    ) -> None:
        """Read the file, if an earlier attempt left a usable one.

        Args:
            path: of the file; its folder need not exist.
            key: digest of everything that decides what is generated for a request.
            requests: of this attempt. If they or the batch size are not those of the
                earlier attempt, tokens are still kept, but no keys and values.
            batch_size: largest number of completions under way.

        Raises:
            ValueError: a request has interventions or is their baseline. A checkpoint
                does not hold them.
        """
        if any(request.steps for request in requests):
            raise ValueError("a checkpoint cannot hold completions with interventions")
        self.path, self.key = path, key
        self.batch_size = batch_size
        self.wanted = {request.digest: request for request in requests}
        self.last_write = time.monotonic()
        self.logged: bool | None = None
        saved = self._read()
        self.state = saved or GenerationState.at_start(requests, batch_size)
        """Where this attempt begins."""
        self.note = "" if saved is None else _note(saved)
        """What this attempt takes over; empty if nothing."""

    @property
    def is_due(self) -> bool:
        """Whether it is time to write."""
        return time.monotonic() - self.last_write >= SECONDS

    def write(self, state: GenerationState) -> None:
        """Replace the file. A disk that takes no more data costs a warning only."""
        self.last_write = time.monotonic()
        size = sum(tensor.nbytes for tensor in state.tensors.values())
        fits = size <= CACHE_BYTES
        kept = state.tensors if fits else {}
        tensors = {k: v.cpu().contiguous() for k, v in kept.items()}
        layout = self._layout(state)
        tensors |= _token_tensors(state)
        metadata = {"key": self.key, "layout": json.dumps(layout)}
        metadata["digest"] = _digest(metadata, tensors)
        try:
            self.path.parent.mkdir(exist_ok=True)
            with replacing(self.path) as partial:
                save_file(tensors, partial, metadata)
        except (InputError, OSError, SafetensorError) as error:
            logger.warning("no checkpoint: %s", error)
            return
        if self.logged != fits:
            what = "with" if fits else "without"
            logger.info("checkpoint %s %.0f MB of keys and values", what, size / 1e6)
            self.logged = fits

    def remove(self) -> None:
        """Remove the file, because the complete traces are written."""
        self.path.unlink(missing_ok=True)
        if self.path.parent.exists():
            remove_abandoned(self.path)

    def _layout(self, state: GenerationState) -> dict[str, Any]:
        """Which completion is where; requests are named by digest."""
        digests = {request.trace: digest for digest, request in self.wanted.items()}
        return {
            "requests": list(self.wanted),
            "asked_batch_size": self.batch_size,
            "batch_size": state.batch_size,
            "finished": [[digests[c.trace], c.finish] for c in state.finished],
            "slots": [slot and digests[slot.trace] for slot in state.slots],
            "waiting": [digests[request.trace] for request in state.waiting],
        }

    def _read(self) -> GenerationState | None:
        """The saved state; None if there is no usable file."""
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("key") != self.key:
                    self._discard("other settings, model, code or versions made it")
                    return None
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            self._discard(f"it is damaged ({error})")
            return None
        if metadata.pop("digest", None) != _digest(metadata, tensors):
            self._discard("it is damaged (its content does not match its digest)")
            return None
        return self._state(json.loads(metadata["layout"]), tensors)

    def _discard(self, reason: str) -> None:
        logger.warning("%s is not used and is removed: %s", self.path, reason)
        self.path.unlink(missing_ok=True)

    def _state(
        self, layout: dict[str, Any], tensors: dict[str, torch.Tensor]
    ) -> GenerationState:
        """The saved state, as far as this attempt asks for the same completions."""
        lengths, ids, logprobs = (tensors.pop(name).tolist() for name in TOKENS)
        ends = list(accumulate(lengths))
        spans = [slice(end - n, end) for n, end in zip(lengths, ends, strict=True)]
        finishes = dict(layout["finished"])
        placed = [*filter(None, layout["slots"]), *layout["waiting"]]
        texts = {
            digest: (ids[span], logprobs[span])
            for digest, span in zip([*finishes, *placed], spans, strict=True)
        }
        finished = [
            Completion(self.wanted[digest].trace, *texts[digest], finish)
            for digest, finish in finishes.items()
            if digest in self.wanted
        ]
        open_ones = {
            digest: request.begun(*texts.get(digest, ([], [])))
            for digest, request in self.wanted.items()
            if digest not in finishes
        }
        asked = [list(self.wanted), self.batch_size]
        if tensors and asked == [layout["requests"], layout["asked_batch_size"]]:
            slots = [digest and open_ones[digest] for digest in layout["slots"]]
            waiting = deque(open_ones[digest] for digest in layout["waiting"])
            size = layout["batch_size"]
            return GenerationState(finished, slots, waiting, size, tensors)
        # First those that had begun first.
        order = [digest for digest in placed if digest in open_ones]
        waiting = deque(
            open_ones[digest] for digest in dict.fromkeys([*order, *open_ones])
        )
        return GenerationState(finished, [], waiting, self.batch_size, {})


def _note(state: GenerationState) -> str:
    """What an attempt takes over, in words."""
    under_way = [*filter(None, state.slots), *state.waiting]
    begun = sum(bool(request.ids) for request in under_way)
    exact = "" if state.tensors else " (rounding from there on as with other batches)"
    return (
        f"{len(state.finished)} finished thoughts and {begun} begun ones kept from an "
        f"interrupted attempt{exact}"
    )


def _token_tensors(state: GenerationState) -> dict[str, torch.Tensor]:
    """Tokens of all completions: finished, under way and waiting, one after another."""
    texts = [(done.ids, done.logprobs or []) for done in state.finished]
    placed = [*filter(None, state.slots), *state.waiting]
    texts += [(request.ids, request.logprobs) for request in placed]
    lengths = [len(ids) for ids, _ in texts]
    ids = list(chain.from_iterable(ids for ids, _ in texts))
    logprobs = list(chain.from_iterable(logprobs for _, logprobs in texts))
    return {
        "lengths": torch.tensor(lengths, dtype=torch.int64),
        "ids": torch.tensor(ids, dtype=torch.int64),
        "logprobs": torch.tensor(logprobs, dtype=torch.float32),
    }


def _digest(metadata: dict[str, str], tensors: dict[str, torch.Tensor]) -> str:
    """SHA-256 of metadata and tensors."""
    shapes = {name: list(tensors[name].shape) for name in sorted(tensors)}
    digest = hashlib.sha256(json.dumps([metadata, shapes], sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
