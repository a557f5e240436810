"""Continuations of all branches of some prefixes, in order."""

import torch

from doubletake.model.branch_rows import continue_branches


def ids_of(count, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 96, (count,), generator=generator).tolist()


def said_by(decoder, prefixes, gib=0.01):
    """Continuations by prefix, in the order of the prefixes."""
    said = list(continue_branches(decoder, prefixes, gib))
    assert sorted(number for number, _ in said) == list(range(len(prefixes)))
    return [continuations for _, continuations in sorted(said, key=lambda one: one[0])]


def pairs(prefixes, said):
    for prefix, continuations in zip(prefixes, said, strict=True):
        for branch, one in zip(prefix.branches, continuations, strict=True):
            yield prefix, branch, one
