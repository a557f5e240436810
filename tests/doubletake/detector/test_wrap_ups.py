"""The wrap-up of a thought."""

import pytest

from doubletake.detector.rules_detector import detect

QUESTION = "Tom has 5 boxes with 9 apples each. How many apples does Tom have?"
ARRIVED = "5 * 9 = 45."


def wrap_ups_of(thought: str) -> list[str]:
    return [thought[w.start : w.end] for w in detect(QUESTION, thought).wrap_ups]


@pytest.mark.parametrize(
    ("ending", "wrap_up"),
    [
        (" So the final answer is 45.", "So the final answer is 45."),
        (
            "\nThat makes 45 apples. Therefore, the answer is 45.",
            "Therefore, the answer is 45.",
        ),
        (
            "\n\nYes, that's correct. So the answer should be 45.\n\n\\boxed{45}",
            "So the answer should be 45.",
        ),
        (
            "\n\nI think that's solid.\n\n**Final Answer**\n\\boxed{45}",
            "**Final Answer**",
        ),
        (" I am sure that the answer is correct.\n\n\\boxed{45}", "\\boxed{45}"),
        (" Is 45 the final answer?\n\nI think so.", "I think so."),
        # Nothing gives the answer for good: the first line.
        (" That was easy.\n\nYes, that seems right.", "Yes, that seems right."),
        # A turn that states no answer: the first line after it that concludes.
        ("\n\nWait, is that right?\nHmm.\nIt must be fine.\nDone.", "It must be fine."),
    ],
)
def test_the_first_sentence_that_gives_the_answer_for_good(ending, wrap_up):
    assert wrap_ups_of(ARRIVED + ending) == [wrap_up]


@pytest.mark.parametrize("thought", [ARRIVED, "5 * 9 = 45. So 45.", "Wait.\n\nHmm."])
def test_no_line_after_the_last_event_no_wrap_up(thought):
    assert wrap_ups_of(thought) == []
