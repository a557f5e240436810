"""The numbers on the page, for a study counted by hand."""

from tiny_report import CHECK, HOSTILE, MENDED, PLAIN, PROMPT, RIGHT, RUN, Study


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


def with_attribution(study: Study) -> Study:
    """One backtrack looked into: the first of trace a, whose prompt is hostile."""
    position = PROMPT + RIGHT.index("Wait") - 1
    scores = [0.0, 0.5, -0.1] + [0.01] * (position - PROMPT)
    at = {"trace": "a/0", "event": 1}
    study.rows["attribution/tokens"] = [
        at
        | {
            "problem": "a",
            "kind": "backtrack",
            "position": position,
            "metric_value": 1.5,
        }
        | {"question_start": 1, "question_end": 3, "thought_start": PROMPT}
        | {"max_abs": scores, "mean_abs": scores, "signed_max": scores}
        | {"position_max_abs": 0.4, "position_mean_abs": 0.2}
    ]
    study.rows["attribution/prompts"] = [
        {"trace": "a/0", "text": f"<s>5+{HOSTILE}", "offsets": [0, 3, 5]}
        | {"start": 3, "end": 5 + len(HOSTILE)}
    ]
    mean = {"mean": 0.25, "low": 0.1, "high": 0.4, "positions": 1, "problems": 1}
    study.rows["attribution/context_parts"] = [
        {"kind": "backtrack", "context_part": part, "quantity": "token"}
        | mean
        | {"published": None}
        for part in range(6)
    ]
    study.rows["attribution/checks"] = [
        {"method": method, "component": "resid", "layer": layer, "statistic": name}
        | mean
        for method in ("gradient", "integrated")
        for layer in (0, None)
        for name in ("pearson", "spearman", "sign", "recall")
    ]
    study.rows["attribution/words"] = [
        at
        | {
            "kind": "backtrack",
            "rank": 1,
            "word": HOSTILE,
            "context_part": 0,
            "token": 2,
        }
        | {"occurrences": 1, "max_abs": 0.5, "mean_abs": 0.2, "signed_max": 0.5}
        | {"follows": False}
    ]
    study.rows["attribution/slip_ranks"] = [
        {"top_k": top_k, "hits": 1, "positions": 2, "problems": 2}
        | {"share": 0.5, "low": 0.1, "high": 0.9, "chance": 0.2}
        for top_k in (1, 3)
    ]
    return study


def test_attribution_is_told_with_its_error_and_shown_as_a_heat_map(render):
    page = render(with_attribution(Study()))
    assert page.says("1 backtrack", "question", "0.25")
    assert page.says("0.25", "exact patching")
    assert page.says("0.25 (0.10 to 0.40)", "exact mean-ablation")
    assert page.says("was not checked", "attribution.kinds", "scores no controls")
    assert page.says("10% to 90%", "20%")
    assert page.says("Trace a/0", "\u201cWait, let me check")
    shaded = [a for tag, a in page.tags if "title" in a and a.get("class") == "h p3"]
    assert [a["title"] for a in shaded] == ["0.5"]
    assert page.values("class").count("h n2") == 2  # the token and the legend
    assert not {tag for tag, _ in page.tags} & {"script"}
    assert "\u202e" not in page.html


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


def test_benchmarks_are_shown_where_there_are_any(render, tmp_path):
    folder = tmp_path / "data/benchmarks/early_exit/measure"
    folder.mkdir(parents=True)
    for shard, memory in (("1-of-2", "2048.0"), ("2-of-2", "NA")):
        (folder / f"{shard}.tsv").write_text(f"s\tmax_rss\n100.4\t{memory}\n")
    page = render(Study())
    assert page.has("early_exit, measure 2 4 12,000 1 min 00 s 200 3 min 21 s 2.0 GiB")
