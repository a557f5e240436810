"""The page on studies with missing data: it says what is missing."""

from tiny_report import EXITS, PROMPT, RUN, SETTINGS, Study

from doubletake.text.chat_templates import DATE_NOTE


def test_without_arrivals_the_page_says_so(render):
    study = Study()
    study.rows |= {"events": [], "early_exit/summary": [], "early_exit/calibration": []}
    study.rows["early_exit"] = [row for row in EXITS if row["exit"] == 0]
    page = render(study)
    assert page.says("No arrival", "4 thoughts", "tiny")
    assert page.says("No trace", "arrivals")


def test_without_traces_the_page_says_so(render):
    study = Study()
    study.rows = {name: [] for name in study.rows}
    study.checks = []
    page = render(study)
    assert page.says("no thought", "tiny")
    assert page.says("no traces")
    assert page.says("No check")


def test_without_selected_backtracks_attribution_says_so(render):
    page = render(Study())
    assert page.says("No backtrack")


def test_no_examples_if_none_are_wanted(render):
    page = render(Study(), examples=0)
    assert page.says("number of examples", "0")
    assert page.values("class").count("example") == 0


def test_a_detector_that_sees_only_the_final_value_is_named(render):
    study = Study()
    study.rows["events"] = [row for row in study.rows["events"] if row["value"] != "7"]
    assert render(study).says("all 4 arrivals")
    study.settings = SETTINGS | {"events": SETTINGS["events"] | {"detector": "string"}}
    sentence = ("\u201cstring\u201d", "arrival", "right value")
    assert render(study).says(*sentence)
    assert not render(Study()).says(*sentence)


def test_a_study_without_events_says_so_first(render):
    study = Study()
    study.rows["events"] = []
    page = render(study)
    warning = page.words.index("No arrival, no turn and no wrap-up")
    assert warning < page.words.index("right at exit 0")
    assert "tiny on data:" in page.words[:warning]
    assert not render(Study()).has("No arrival, no turn and no wrap-up")


def test_thoughts_that_are_empty_or_never_closed_are_told_first(render):
    study = Study()
    for row in study.rows["traces"][:3]:
        row |= {"thought_stop": 0, "thought_end": PROMPT}
    study.rows["events"] = []
    assert render(study).says("3 of 4 thoughts are empty")
    study = Study()
    for row in study.rows["traces"]:
        row |= {"thought_end": None, "answer_start": None}
    assert render(study).says("4 thoughts", "closed", "end marker", "counts as right")


def test_a_date_in_the_prompts_is_told_first(render):
    study = Study()
    study.run = RUN | {"note": f"1 thought kept; {DATE_NOTE}"}
    page = render(study)
    assert page.words.index(f"{DATE_NOTE[0].upper()}{DATE_NOTE[1:]}") < (
        page.words.index("right at exit 0")
    )


def test_imported_thoughts_are_called_so(render):
    study = Study()
    study.settings = {k: v for k, v in SETTINGS.items() if k != "generation"}
    page = render(study)
    assert page.says("imported", "not generated", "tiny")
    assert page.says("imported", "tiny", "written")


def test_no_interval_is_given_where_no_thought_changes(render):
    study = Study()
    study.rows["early_exit"] = [
        row for row in EXITS if row["trace"] != "b/0" or row["exit"] == 0
    ]
    page = render(study)
    assert page.says("2 thoughts", "100.0%")
    assert page.says("stopping", "% of the thought")
    assert not page.says("stopping", "% of the thought", "points")
