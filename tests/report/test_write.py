"""From tables to the page."""

import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_report import (
    CHECK,
    EXITS,
    FIGURE,
    HERE,
    HOSTILE,
    MENDED,
    PLAIN,
    PROMPT,
    RIGHT,
    RUN,
    SCORE,
    SETTINGS,
    Page,
    Study,
    event_rows,
    trace_row,
)

from detector.tables import DETECTOR_SCORES
from doubletake.detector.detectors import DETECTORS
from doubletake.running.digests import SCRIPTS
from doubletake.running.errors import InputError
from doubletake.study.registry import experiments, stages_with
from doubletake.tables.runs import RUNS
from doubletake.text.chat_templates import DATE_NOTE
from report.write import Settings, main

TEMPLATE = SCRIPTS.parent / "report/page.html.jinja"


@pytest.fixture
def render(tmp_path):
    def render_studies(*studies: Study, examples: int = 4, provenance=HERE) -> Page:
        scores = [
            SCORE | {"detector": detector} | change
            for detector in DETECTORS
            for change in ({}, {"kind": "backtrack", "precision": None})
        ]
        DETECTOR_SCORES.write(DETECTOR_SCORES.frame(scores), tmp_path / "scores")
        main(
            scores_path=tmp_path / "scores",
            studies=[study.write(tmp_path) for study in studies],
            template_path=TEMPLATE,
            page_path=tmp_path / "report.html",
            settings=Settings(examples=examples, seed=0),
            provenance=provenance,
        )
        return Page((tmp_path / "report.html").read_text(encoding="utf-8"))

    return render_studies


def test_the_numbers_are_those_counted_by_hand(render):
    page = render(Study())
    # Three of four thoughts arrive. Two are right at exit 1, all three at the end.
    assert page.has("right final answer", "75.0%", "3 of 4 thoughts")
    assert page.has("thought closed", "75.0%", "3 of 4 thoughts")
    assert page.has("1 arrival or more", "75.0%", "3 of 4 thoughts")
    assert page.has("2 arrivals or more", "50.0%", "2 of 4 thoughts")
    assert page.has("4 arrivals or more", "0.0%", "0 of 4 thoughts")
    assert page.has("turning back at least once", "50.0%", "2 of 4 thoughts")
    assert page.has("first arrival states a wrong value", "33.3%", "1 of 3 thoughts")
    assert page.has("(mended)", "100.0%", "1 of 1 thought")
    assert page.has("25.0%", "1 of 4 thoughts")
    assert page.says("right at exit 0")
    assert page.has("right at exit 1", "66.7%", "2 of 3 thoughts")
    lengths = [len(RIGHT), len(MENDED), len(PLAIN)]
    saved = (sum(lengths) - 10 - 10 - 8) / 3
    assert page.has(f"mean {saved:.1f} of {sum(lengths) / 3:.1f}")
    assert page.has("\u201cWait\u201d 2.")


def test_the_headline_says_how_sure_and_what_stopping_costs(render):
    page = render(Study())
    saved = 1 - (10 + 10 + 8) / sum(map(len, (RIGHT, MENDED, PLAIN)))
    assert page.says("66.7%", "3 thoughts")
    assert page.says("mean probability", "0.800")
    assert page.says("stopping", f"{saved:.1%} of the thought", "33.3 points")
    assert page.says("0.900", "right", "n = 2", "0.600")


def test_the_table_of_exits(render):
    page = render(Study())
    assert page.has("4 25.0% 0.100 10.00 1.00 0.500 0")
    assert page.has("1 3 66.7% 0.800 10.00 1.00 0.500 9")
    assert page.says("1 exit", "no number", "wrong")
    assert page.has("first arrival 2 0 2")
    assert page.has("first arrival 1 0 1")


def test_the_detector_is_judged(render):
    page = render(Study())
    assert page.has(
        "rules arrivals someone, 55 220 218 0.986 (0.96–1.00) "
        "0.99 (0.97–1.00) 0.98 (0.96–1.00)"
    )
    assert page.says("rules", "F1", "0.986", "arrivals", "0.986", "backtracks")
    assert page.says("own/labels.jsonl", "55 traces")


def test_nothing_is_loaded_and_nothing_acts(render):
    page = render(Study())
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "svg", "iframe", "object", "embed"}
    assert "@import" not in page.html
    assert not page.values("srcset", "action", "onload", "xlink:href")
    assert all(v.startswith("data:image/svg+xml;base64,") for v in page.values("src"))
    assert all(value.startswith("#") for value in page.values("href"))
    assert "url(" not in page.html
    assert "example.org" not in page.html


def test_ids_are_unique_and_references_have_their_target(render):
    page = render(Study(), Study("more"))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in page.values("href")} <= set(ids)


def test_every_figure_is_inside_the_page_with_caption_and_cases(render):
    page = render(Study())
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == sum(len(one.figures) for one in experiments())
    for image in images:
        data = b64decode(image["src"].partition(",")[2])
        assert data.decode().startswith(FIGURE)
        assert image["alt"].endswith("tiny on data")
        assert image["style"] == "max-width:120pt"
    assert page.says("n = 2", "2 of 4")
    assert page.says("calibration error", "0.150")


def test_hostile_text_is_shown_and_does_nothing(render):
    study = Study()
    thought = f"It is 8. {HOSTILE}"
    study.rows["traces"][0] = trace_row("a", thought, "8") | {"answer": HOSTILE}
    study.rows["events"] = event_rows("a", thought)
    study.rows["problems"][0]["question"] = HOSTILE
    study.run = RUN | {"note": HOSTILE}
    study.checks = [CHECK | {"check": HOSTILE}]
    page = render(study)
    shown = HOSTILE.translate({0x1B: "\u241b", 0: "\u2400"})
    shown = shown.replace("\u202e", "[U+202E]").replace("\u202c", "[U+202C]")
    # As question (twice), thought, answer, check, and the note of every stage.
    assert page.words.count(shown) == 5 + len(stages_with(RUNS))
    assert not {tag for tag, _ in page.tags} & {"script"}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page.html)


def test_the_text_of_an_example_is_marked_but_kept(render):
    study = Study()
    study.rows = {
        name: [r for r in rows if r.get("trace", "a/0") == "a/0"]
        for name, rows in study.rows.items()
    }
    html = render(study).html
    thought = re.search(r'<div class="thought">(.*?)</div>', html, re.DOTALL)[1]
    note = r'<span class="exit .*?(?:</span>){2}\n?</span>'
    bare = re.sub(note, "", thought, flags=re.DOTALL)
    bare = re.sub(r'<span class="sign">.</span>|<sup.*?</sup>', "", bare)
    assert re.sub(r"<[^>]*>", "", bare) == RIGHT
    assert thought.count('<span class="arrival">8</span>') == 2
    assert '<span class="backtrack">Wait, let me check.</span>' in thought
    assert '<span class="wrap_up">Done.</span>' in thought
    notes = [
        " ".join(Page(n).text.split()) for n in re.findall(note, thought, re.DOTALL)
    ]
    assert notes == [
        "before any thought3 ✗ wrong0.100",
        "arrival 110 tokens in8 ✓ right0.900",
        "arrival 242 tokens in8 ✓ right0.950",
    ]
    # The exit stands where the thought is cut: behind the sentence.
    assert re.search(r"</sup>\.<span class=\"exit right", thought)


def test_without_arrivals_the_page_says_so(render):
    study = Study()
    study.rows |= {"events": [], "early_exit/summary": [], "early_exit/calibration": []}
    study.rows["early_exit"] = [row for row in EXITS if row["exit"] == 0]
    page = render(study)
    assert page.says("No arrival", "4 thoughts", "tiny")
    assert page.says("No trace", "backtracks")


def test_without_traces_the_page_says_so(render):
    study = Study()
    study.rows = {name: [] for name in study.rows}
    study.checks = []
    page = render(study)
    assert page.says("no thought", "tiny")
    assert page.says("no traces")
    assert page.says("No check")


def with_attribution(study: Study) -> Study:
    """One backtrack looked into: the first of trace a, whose prompt is hostile."""
    position = PROMPT + RIGHT.index("Wait") - 1
    scores = [0.0, 0.5, -0.1] + [0.01] * (position - PROMPT)
    at = {"trace": "a/0", "event": 1}
    study.rows["attribution/tokens"] = [
        at
        | {"problem": "a", "kind": "backtrack", "position": position, "value": 1.5}
        | {"question_start": 1, "question_end": 3, "thought_start": PROMPT}
        | {"max_abs": scores, "mean_abs": scores, "strongest": scores}
        | {"own_max_abs": 0.4, "own_mean_abs": 0.2}
    ]
    study.rows["attribution/prompts"] = [
        {"trace": "a/0", "text": f"<s>5+{HOSTILE}", "offsets": [0, 3, 5]}
        | {"start": 3, "end": 5 + len(HOSTILE)}
    ]
    mean = {"value": 0.25, "low": 0.1, "high": 0.4, "events": 1, "problems": 1}
    study.rows["attribution/places"] = [
        {"kind": "backtrack", "place": place, "quantity": "token"}
        | mean
        | {"published": None}
        for place in range(6)
    ]
    study.rows["attribution/checks"] = [
        {"method": method, "part": "resid", "layer": layer, "statistic": name} | mean
        for method in ("gradient", "integrated")
        for layer in (0, None)
        for name in ("pearson", "spearman", "sign", "recall")
    ]
    study.rows["attribution/words"] = [
        at
        | {"kind": "backtrack", "rank": 1, "word": HOSTILE, "place": 0, "token": 2}
        | {"occurrences": 1, "max_abs": 0.5, "mean_abs": 0.2, "strongest": 0.5}
        | {"follows": False}
    ]
    study.rows["attribution/slip_ranks"] = [
        {"top": top, "hits": 1, "events": 2, "share": 0.5, "low": 0.1, "high": 0.9}
        | {"chance": 0.2}
        for top in (1, 3)
    ]
    return study


def test_attribution_is_told_with_its_error_and_shown_as_a_heat_map(render):
    page = render(with_attribution(Study()))
    assert page.says("1 backtrack", "question", "0.25")
    assert page.says("0.25", "exact patching")
    assert page.says("0.25 (0.10 to 0.40)", "exact mean-ablation")
    assert page.says("10% to 90%", "20%")
    assert page.says("Trace a/0", "\u201cWait, let me check")
    shaded = [a for tag, a in page.tags if "title" in a and a.get("class") == "h p3"]
    assert [a["title"] for a in shaded] == ["0.5"]
    assert page.values("class").count("h n2") == 2  # the token and the legend
    assert not {tag for tag, _ in page.tags} & {"script"}
    assert "\u202e" not in page.html


def test_without_selected_backtracks_attribution_says_so(render):
    page = render(Study())
    assert page.says("No backtrack")


def test_no_examples_if_none_are_wanted(render):
    page = render(Study(), examples=0)
    assert page.says("number of examples", "0")
    assert page.values("class").count("example") == 0


def test_two_studies_share_a_page(render):
    page = render(Study(), Study("more"))
    assert page.has("tiny on data 4 75.0%")
    assert page.has("tiny on more 4 75.0%")
    assert {"tiny/data", "tiny/more"} < set(page.values("id"))


def test_the_verification_is_judged(render):
    study = Study()
    study.checks = [
        CHECK,
        CHECK | {"value": 0.002, "statistic": "too large"},
        CHECK | {"value": float("nan"), "statistic": "no number"},
        CHECK | {"value": None, "n": 0},
        CHECK | {"bound": None},
    ]
    page = render(study)
    assert page.has("largest difference 2.00 × 10⁻⁵ logit 1,234 0.001 yes")
    assert page.has("too large 0.002 logit 1,234 0.001 no")
    assert page.has("no number not a number logit 1,234 0.001 no")
    assert page.has("not checked logit 0 0.001 not checked")
    assert page.says("2 of 3 checks", "early_exit: too large and early_exit:")
    assert page.says("1 was not checked", "(early_exit 1)")
    assert page.has("0.800 2 of 3, 1 not checked")  # last columns of the overview


def test_a_check_without_cases_passes_nothing(render):
    study = Study()
    study.checks = [CHECK, CHECK, CHECK | {"value": 0.0, "n": 0}]
    page = render(study)
    assert page.has("not checked logit 0 0.001 not checked")
    assert page.says("All 2 checks", "within", "1 was not checked")
    study.checks = [CHECK | {"value": None, "n": 0}] * 2
    page = render(study)
    assert page.says("No check", "2 were not checked")
    assert not page.says("All", "checks", "within")


def test_a_detector_that_sees_only_the_final_value_is_named(render):
    study = Study()
    study.rows["events"] = [row for row in study.rows["events"] if row["value"] != "7"]
    assert render(study).says("all 4 arrivals")
    study.settings = SETTINGS | {"events": SETTINGS["events"] | {"detector": "string"}}
    sentence = ("\u201cstring\u201d", "arrival", "right value")
    assert render(study).says(*sentence)
    assert not render(Study()).says(*sentence)


def test_what_was_run_is_stated(render):
    study = Study()
    study.run = RUN | {"note": "refused as no text: e/0"}
    page = render(study)
    assert page.has("owner/data, main, split test, revision " + "e" * 40)
    assert page.has("traces 1 4 12,000 1 min 00 s 200 – – cpu, 2 threads, float32")
    assert page.says("shard 1-of-1", "refused as no text: e/0")
    assert page.has("abc123, Python 3.11.7")
    assert page.says("one machine")
    assert page.has('"\\n</think>\\n\\\\boxed{"')


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


def test_benchmarks_are_shown_where_there_are_any(render, tmp_path):
    folder = tmp_path / "data/benchmarks/early_exit/measure"
    folder.mkdir(parents=True)
    for shard, memory in (("1-of-2", "2048.0"), ("2-of-2", "NA")):
        (folder / f"{shard}.tsv").write_text(f"s\tmax_rss\n100.4\t{memory}\n")
    page = render(Study())
    assert page.has("early_exit, measure 2 4 12,000 1 min 00 s 200 3 min 21 s 2.0 GiB")


def test_equal_input_gives_an_equal_page(render):
    first = render(Study()).html
    assert render(Study()).html == first
    elsewhere = replace(HERE, commit="def456", machine="abacus", written="2099")
    second = render(Study(), provenance=elsewhere).html
    for name in ("commit", "machine", "written"):
        assert getattr(elsewhere, name) in second
        second = second.replace(getattr(elsewhere, name), getattr(HERE, name))
    assert second == first


def test_a_damaged_manifest_is_named(render):
    class Damaged(Study):
        def write_manifest(self, folder: Path) -> str:
            path = Path(super().write_manifest(folder))
            path.write_text(path.read_text().replace(HERE.commit, "abc124"))
            return str(path)

    with pytest.raises(InputError, match=r"manifest\.json is damaged .* delete it"):
        render(Damaged())


def test_a_broken_figure_is_named(render):
    study = Study()
    study.figure = "<svg"
    with pytest.raises(InputError, match=r"cannot read figure .*confidence\.svg"):
        render(study)
    study.figure = "<html></html>"
    with pytest.raises(InputError, match=r"confidence\.svg: not an SVG but <html>"):
        render(study)


def test_no_interval_is_given_where_no_thought_changes(render):
    study = Study()
    study.rows["early_exit"] = [
        row for row in EXITS if row["trace"] != "b/0" or row["exit"] == 0
    ]
    page = render(study)
    assert page.says("2 thoughts", "100.0%")
    assert page.says("stopping", "% of the thought")
    assert not page.says("stopping", "% of the thought", "points")
