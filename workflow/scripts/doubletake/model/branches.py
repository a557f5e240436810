"""Branches of a sequence: where it is cut, what follows, and how it goes on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doubletake.model.edits import Edit
from doubletake.model.token_sampling import GREEDY, Sampling
from doubletake.model.watched_places import Watch

Stop = Callable[[list[int]], bool]
"""Given the tokens of a continuation so far: whether it ends."""


def never(_: list[int]) -> bool:
    """No token ends the continuation."""
    return False


@dataclass(frozen=True)
class Branch:
    """A sequence to continue: `prefix[:cut]`, then `suffix`."""

    cut: int
    """Number of prefix tokens that the branch sees, at least 1."""
    suffix: tuple[int, ...]
    """Token ids after the cut, at least one."""
    max_tokens: int
    """Length of the longest continuation, in tokens, at least 1."""
    stop: Stop = never
    """The continuation ends with the token after which this is true."""
    sampling: Sampling = GREEDY
    """How tokens are chosen. A random number depends on the seed, the branch's `name`
    and the place of the token in the continuation, on nothing else."""
    name: str = ""
    """Name for random numbers; branches of one name and seed draw the same ones."""
    edits: tuple[Edit, ...] = ()
    """Changes of the states at the branch's own tokens, in this order."""
    watched: tuple[Watch, ...] = ()
    """Places at the cut or in the suffix at which the next token is looked at, too."""
    kept: tuple[int, ...] = ()
    """Boundaries of the residual stream whose states at the last token before the cut
    are kept, ascending. Boundary l is the input of layer l, the last one is that of the
    final norm."""

    @property
    def tokens(self) -> int:
        """Tokens that the model reads for the branch if it becomes its longest."""
        return len(self.suffix) + self.max_tokens - 1


@dataclass(frozen=True)
class Prefix:
    """A sequence, and what shall branch off it."""

    name: str
    """Its name in messages ("trace 3/0")."""
    ids: Sequence[int]
    """Token ids."""
    branches: Sequence[Branch]


def longest_sequence(branches: Sequence[Branch]) -> int:
    """Number of tokens of the longest sequence that the branches can become."""
    return max(
        branch.cut + len(branch.suffix) + branch.max_tokens for branch in branches
    )
