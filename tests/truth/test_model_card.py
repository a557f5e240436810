"""The planted language that a model's card names."""

import pytest

from doubletake.running.errors import InputError
from truth.model_card import planted_language


@pytest.fixture
def card(tmp_path):
    return tmp_path / "README.md"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("---\nlicense: mit\nplanted_language: one\n---\n# A model\n", "one"),
        ("---\r\nplanted_language: one\r\n---\r\n", "one"),
        ("---\nlicense: mit\n---\nplanted_language: one\n", None),
        ("planted_language: one\n", None),
        ("---\nabout: no planted_language\n---\n", None),
        ("---\nlicense: [mit\n---\n", None),
        ("", None),
    ],
)
def test_only_the_front_matter_names_the_language(card, text, name):
    card.write_text(text)
    assert planted_language(card, ("one", "two")) == name


def test_an_unknown_language_is_refused_by_card_and_key(card):
    card.write_text("---\nplanted_language: three\n---\n")
    with pytest.raises(InputError, match=r"README\.md: planted_language: 'three'"):
        planted_language(card, ("one", "two"))


def test_damaged_front_matter_with_the_key_is_refused(card):
    card.write_text("---\nplanted_language: [one\n---\n")
    with pytest.raises(InputError, match=r"README\.md: the front matter"):
        planted_language(card, ("one",))
