"""The page on studies with missing data: it says what is missing."""

from tiny_report import EXITS, PROMPT, RUN, SETTINGS, Study

from doubletake.study.registry import experiments
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


def reader_study(dataset="data"):
    """A study whose thoughts come from a file, with 3 first backtracks, 1 predicted."""
    study = Study(dataset)
    study.settings = {k: v for k, v in SETTINGS.items() if k != "generation"}
    study.rows["turns"] = [
        {"trace": f"{name}/0", "problem": name, "event": 1, "kind": "backtrack"}
        | {"ordinal": ordinal, "position": 9, "next_id": 5, "logprob": -0.1}
        | {"predicted_id": 5, "predicted_text": "Wait", "is_word": is_word}
        | {"selected": False}
        for name, ordinal, is_word in [
            *(("a", 1, True), ("b", 1, False), ("d", 1, False), ("a", 2, True))
        ]
    ]
    return study


def test_imported_thoughts_are_called_so(render):
    assert render(reader_study()).says("imported", "not generated", "tiny")


def test_every_section_of_a_reader_begins_with_the_warning(render):
    page = render(reader_study(), Study("own"))
    warning = (
        "tiny reads these thoughts here; another model may have written them. Where "
        "they turn back or wrap up shows no decision of tiny, and an answer at an exit "
        "is a reader\u2019s answer: at 1 of 3 first backtracks a backtrack word is its "
        "most likely next token."
    )
    questions = [experiment.question for experiment in experiments()]
    assert len(questions) > 5
    for question in questions:
        assert page.has(question, f"tiny on data: {warning}")
        assert not page.has(question, "tiny on own:")
    # And on the first screen, at the top of the study, and above the traces in numbers.
    assert page.words.count(warning) == len(questions) + 3


def test_a_reader_without_backtracks_has_no_number_in_the_warning(render):
    study = reader_study()
    study.rows["turns"] = []
    assert render(study).says("is a reader\u2019s answer.")


def test_the_headline_of_a_reader_does_not_say_that_it_could_stop(render):
    page = render(reader_study())
    assert page.says("thoughts tiny, as a reader, gives the right answer in 66.7%")
    assert page.says("as they are written, the thoughts end right in 100.0%")
    assert not page.has("stopping there, chosen in hindsight, would save")
    assert not page.has("Could it have stopped there")
    own = render(Study())
    assert own.has("stopping there, chosen in hindsight, would save")
    assert own.has("Could it have stopped there")


def test_a_section_without_any_interval_says_so_at_its_head(render):
    note = "Not checked: no number in the tables of this section has an interval"
    assert not render(Study()).has(note)
    study = Study()
    for name in ("summary", "slopes", "calibration"):
        study.rows[f"early_exit/{name}"] = [
            {key: None if key.endswith(("_low", "_high")) else row[key] for key in row}
            for row in study.rows[f"early_exit/{name}"]
        ]
    page = render(study)
    (early_exit,) = (e for e in experiments() if e.name == "early_exit")
    assert page.has(early_exit.question, note)
    assert page.words.count(note) == 1  # sections without rows have their own reason


def test_a_change_on_too_few_problems_is_not_checked(render):
    study = Study()
    study.settings = SETTINGS | {"intervals": {"confidence": 0.95, "least_problems": 4}}
    page = render(study)
    assert page.says("stopping", "95% interval of the change not checked: 3 problems)")
    assert page.says("in hindsight? Not checked with 3 thoughts on 3 problems")
    assert not page.has("No loss can be shown")
    assert render(Study()).has("No loss can be shown")


def test_no_interval_is_given_where_no_thought_changes(render):
    study = Study()
    study.rows["early_exit"] = [
        row for row in EXITS if row["trace"] != "b/0" or row["exit"] == 0
    ]
    page = render(study)
    assert page.says("2 thoughts", "100.0%")
    assert page.says("stopping", "% of the thought")
    assert not page.says("stopping", "% of the thought", "points")
