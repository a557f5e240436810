"""The probability of turning at a position, from the logits of its next token."""

from dataclasses import dataclass

import torch

from doubletake.running.errors import InputError
from doubletake.text.tokenizer import TraceTokenizer
from pocket.reading import CHOICE_OF_WORD, TEMPERATURE, TOP_P, TURN


@dataclass(frozen=True)
class FirstWords:
    """Token ids of the first words at boundaries."""

    turn: torch.Tensor
    """[token], of the words that turn."""
    every: torch.Tensor
    """[token], of all words."""


def first_words(tokenizer: TraceTokenizer) -> FirstWords:
    """The first words of the language, each without and with a space before it.

    Raises:
        InputError: a word is not a single token of the tokenizer. Its probability could
            then not be read from one position.
    """
    ids = {tokenizer.text_of(k): k for k in range(len(tokenizer.tokenizer))}
    by_choice: dict[bool, list[int]] = {True: [], False: []}
    for word, choice in CHOICE_OF_WORD.items():
        for text in (word, f" {word}"):
            if text not in ids:
                raise InputError(
                    f"{tokenizer.name}: {text!r} is a first word of the planted "
                    "language, but no single token"
                )
            by_choice[choice == TURN].append(ids[text])
    turn = torch.tensor(by_choice[True])
    return FirstWords(turn, torch.cat([turn, torch.tensor(by_choice[False])]))


def turn_probability(logits: torch.Tensor, words: FirstWords) -> torch.Tensor:
    """Probability of turning as the language's sampling gives it: [row].

    The mass of the words that turn, as a share of the mass of all first words. At a
    full stop, line breaks take a part of the mass, which says nothing about turning. It
    is NaN where top-p leaves no first word.

    Args:
        logits: [row, vocabulary], float32.
        words: the first words.
    """
    return _share(nucleus(logits, TEMPERATURE, TOP_P), words)


def raw_probability(logits: torch.Tensor, words: FirstWords) -> torch.Tensor:
    """The same at temperature 1 and without top-p: [row]."""
    return _share(torch.softmax(logits.double(), -1), words)


def nucleus(logits: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """Probabilities of the smallest set of tokens that holds `top_p` of the mass.

    Holtzman et al. 2020, nucleus sampling.

    Args:
        logits: [row, vocabulary].
        temperature: divides the logits.
        top_p: share of the mass.

    Returns:
        [row, vocabulary], float64, 0 outside of the set; rows do not add up to 1.
    """
    mass = torch.softmax(logits.double() / temperature, -1)
    ranked, tokens = torch.sort(mass, dim=-1, descending=True, stable=True)
    before = ranked.cumsum(-1) - ranked
    return torch.zeros_like(mass).scatter(-1, tokens, ranked * (before < top_p))


def _share(mass: torch.Tensor, words: FirstWords) -> torch.Tensor:
    turn, every = (
        mass[:, ids.to(mass.device)].sum(-1) for ids in (words.turn, words.every)
    )
    return turn / every
