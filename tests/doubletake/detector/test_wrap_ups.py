"""The wrap-up of a thought."""

from doubletake.detector.rules_detector import detect

QUESTION = "Tom has 5 boxes with 9 apples each. How many apples does Tom have?"


def test_wrap_up_begins_the_first_line_after_the_last_event():
    thought = (
        "5 * 9 = 45. So Tom has 45.\n\nTherefore, the answer is 45.\n\n\\boxed{45}"
    )
    (wrap_up,) = detect(QUESTION, thought).wrap_ups
    assert thought[wrap_up.start : wrap_up.end] == "Therefore, the answer is 45."
    assert not detect(QUESTION, "5 * 9 = 45. So 45.").wrap_ups
