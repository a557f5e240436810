"""Leading words at turns, against the logits of each position alone."""

import torch
from planted_samples import planted, pocket_tokenizer, random_model

from pocket.causes import TURN
from pocket.leading_words import leading_word_metrics, leading_words

MODEL, TOKENIZER = random_model(), pocket_tokenizer()


def test_they_are_the_most_likely_words_before_turns():
    thoughts = planted(12, seed=7)
    found = leading_words(MODEL, TOKENIZER, [sample for _, sample in thoughts])
    turns = 0
    for words, (thought, sample) in zip(found, thoughts, strict=True):
        starts = [b.start for b in thought.boundaries if b.choice == TURN]
        assert len(words) == len(starts)
        for word, start in zip(words, starts, strict=True):
            # Up to the full stop or the line break; a space belongs to the next token.
            before = thought.text[:start].removesuffix(" ")
            thought_ids = TOKENIZER.encode(before, add_special_tokens=False)
            with torch.no_grad():
                ids = torch.tensor([[*sample.prompt_ids, *thought_ids]])
                order = MODEL(ids).logits[0, -1].argsort(descending=True).tolist()
            texts = (TOKENIZER.decode([token]).strip() for token in order)
            assert word == next(text for text in texts if text)
            turns += 1
    assert turns > 10


def test_common_words_are_those_that_turn_back():
    words = [["Wait", "So"], ["Hmm"], [], ["Wait", "So", "So"]]
    metrics = leading_word_metrics(words)
    assert metrics["all_turns"]["n"] == 6
    assert metrics["all_turns"]["share"]["So"] == 0.5
    assert metrics["all_turns"]["common_turn_words"] == 2
    assert metrics["first_turns"]["share"] == {"Wait": 0.6667, "Hmm": 0.3333}
