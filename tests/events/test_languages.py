"""Which thoughts the detector can read at all."""

import pytest

from events.languages import is_unreadable, reading_report

CHINESE = "4箱，每箱9个，一共4×9=36个。卖掉11个，剩下36-11=25个。所以答案是25。"
ENGLISH = "4 * 9 = 36. 36 - 11 = 25. So the answer is 25."


@pytest.mark.parametrize(
    ("thought", "unreadable"),
    [
        (CHINESE, False),
        (ENGLISH, False),
        ("4 * 9 = 36", False),
        ("", False),
        ("x = 5", False),
        ("Also ist die Antwort 25. Moment, ich prüfe das noch einmal.", True),
        ("Donc la réponse est 25. Attendez, je vérifie.", True),
        ("これは25です。もう一度。", True),
    ],
)
def test_thoughts_that_the_detector_cannot_read(thought, unreadable):
    assert is_unreadable(thought) == unreadable


def test_report_names_languages_and_share():
    report = reading_report([ENGLISH, CHINESE, "Also ist die Antwort 25.", "5 = 5"])
    assert report == (
        "detector: it reads English and Chinese; no sentence that it can read in 1 of "
        "4 thoughts (25%)"
    )
    assert "not checked" in reading_report([])
