"""Which tokens keep a word out, on small and on real tokenizers; control words."""

import re

import pytest
from tiny_models import tokenizer_settings

from decoding_actions.actions import forbidding
from decoding_actions.control_words import NEAREST, control_words, whole_words
from decoding_actions.forbidden_words import ForbiddenWord, Vocabulary, core
from decoding_actions.keywords import CGRS, CHINESE, ENGLISH, NOWAIT, keywords
from doubletake.detector import chinese_cues
from doubletake.text.tokenizer import load_tokenizer

TEXT = "Wait, let me check again. But 7 + 12 = 19, so wait. I know any canyon. WAIT!"


def vocabulary_of(tokenizer, *texts):
    return Vocabulary(tokenizer, [tokenizer.encode(text) for text in texts])


def test_the_core_of_a_text():
    texts = [" Wait", "wait,", "(WAIT", "double-check", "12", "\n\n", " \u7b49\u7b49,"]
    expected = ["wait", "wait", "wait", "double-check", "", "", "\u7b49\u7b49"]
    assert [core(text) for text in texts] == expected


@pytest.mark.parametrize(
    "name", ["DeepSeek-R1-Distill-Llama-8B", "DeepSeek-R1-Distill-Qwen"]
)
def test_real_tokenizers_forbid_all_ways_to_write_a_keyword(name, tokenizers_folder):
    tokenizer = load_tokenizer(tokenizer_settings(tokenizers_folder / name))
    text = " ".join(f"{word} {word.capitalize()}." for word in ENGLISH[NOWAIT])
    vocabulary = vocabulary_of(tokenizer, TEXT, text, f"\n{text.upper()}")
    words = [vocabulary.word(word) for word in ENGLISH[NOWAIT]]
    tokens = forbidding(words, tokenizer)
    by_word = {word.keyword: word for word in words}
    for spelling in ("wait", " wait", "Wait", " Wait", " But", "Hmm", " another"):
        (token,) = tokenizer.encode(spelling)
        assert token in tokens
        assert token in by_word[core(spelling)].tokens
    for other in (" canyon", " water", " button", " Ohio", " many", " otherwise"):
        assert not tokens & set(tokenizer.encode(other)), other
    assert not tokens & set(tokenizer.encode("</think>"))
    for word in words:
        assert word.tokens or word.left, word.keyword
    # What is neither forbidden nor reported is not written in the thoughts.
    assert by_word["double-check"].left or by_word["double-check"].written


def test_a_word_of_several_tokens_goes_by_its_first_token_if_that_is_its_own(tokenizer):
    ids = tokenizer.encode("verify")
    assert len(ids) > 1
    own = vocabulary_of(tokenizer, "verify it, verify").word("verify")
    assert own.tokens == {ids[0]}
    assert (own.written, own.left) == (2, ())
    shared = vocabulary_of(tokenizer, "verify it,vu").word("verify")
    assert not shared.tokens
    assert (shared.left, shared.left_written) == (("verify",), 1)
    never = vocabulary_of(tokenizer, "So 7.").word("verify")
    assert (never.tokens, never.left) == (frozenset(), ())


def test_no_token_of_a_marker_is_forbidden(tokenizer):
    (marker,) = tokenizer.encode("</think>")
    word = ForbiddenWord("x", frozenset([marker, 5]), 1)
    assert forbidding([word], tokenizer) == {5}


def test_chinese_keywords_open_cues_of_the_detector():
    forms = "|".join(chinese_cues._FORMS.values()) + chinese_cues._BUT
    forms += chinese_cues._AGAIN + chinese_cues._CHECK_VERB
    for action in (NOWAIT, CGRS):
        assert keywords(action, chinese=False) == ENGLISH[action]
        assert keywords(action, chinese=True) == ENGLISH[action] + CHINESE[action]
        for word in CHINESE[action]:
            assert re.search(forms, word) or word[0] in forms, word


def test_control_words_are_whole_words_about_as_frequent(tokenizer):
    texts = ["So He makes 7. This comes from the story. The red pencils are red."] * 3
    vocabulary = vocabulary_of(tokenizer, *texts, "The answer is 7.")
    words = whole_words(vocabulary, {"the"})
    assert "the" not in words
    assert words["red"] == 6
    assert words["story"] == 3
    assert not any(len(word) < 2 or not word.isalpha() for word in words)
    candidates = {f"w{k:02d}": k for k in range(1, 41)}
    wanted = [
        ForbiddenWord("a", frozenset([1]), 20),
        ForbiddenWord("b", frozenset([2]), 3),
        ForbiddenWord("c", frozenset([3]), 0),
    ]
    draws = [control_words(wanted, candidates, 0, f"{k}/0") for k in range(200)]
    for draw in draws:
        assert len(set(draw)) == 2  # a word that is never written needs no control
        assert 17 <= candidates[draw[0]] <= 23
        assert 2 <= candidates[draw[1]] <= 6
    assert len({draw[0] for draw in draws}) == NEAREST
    assert draws[0] == control_words(wanted, candidates, 0, "0/0")


def test_a_part_of_a_longer_word_is_no_control(tokenizer):
    vocabulary = vocabulary_of(tokenizer, "The story. history", "The story.")
    last = vocabulary.texts[tokenizer.encode("history")[-1]]
    assert core(last) not in whole_words(vocabulary, ())
