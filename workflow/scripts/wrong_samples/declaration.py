"""Declares the tables, figures and files of this experiment."""

from doubletake.study.comparisons import Comparison, Panel
from doubletake.study.declaration import Experiment, Figure
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from wrong_samples.tables import NET, SUMMARY, THOUGHTS, WRONG_SAMPLES

DECLARATION = Experiment(
    name="wrong_samples",
    order=69,
    title="Wrong samples",
    question="Can thoughts that end wrong be pushed to be right?",
    holds="wrong and right thoughts, continued from an arrival with steering, a forced "
    "word, or nothing",
    shards=(WRONG_SAMPLES, THOUGHTS, VERIFICATION, RUNS),
    tables=(SUMMARY, NET),
    figures=(
        Figure(
            "mended",
            "Wrong thoughts mended, right thoughts spoiled",
            "Thoughts on problems that gave no direction are cut at the end of the "
            "sentence of their last arrival, which a running reader knows, and are "
            "continued several times. `resample` continues with other random numbers "
            "and nothing else: the rate that an action must beat. `wait` appends the "
            "word. `steer` adds the direction toward turning back, `random` adds "
            "another random direction of the same length in every draw. `vote` takes "
            "the most frequent answer of so many resampled continuations that they "
            "have the tokens of the dearest action. `afresh` is a new thought from the "
            "prompt. Both are made for wrong thoughts only. Bars are intervals over "
            "problems. The numbers are in wrong_samples/summary.parquet.",
        ),
        Figure(
            "cost",
            "Accuracy against tokens",
            "Tokens spent per draw after the cut, and the share of right answers. Left "
            "and middle: wrong and right thoughts from their last arrival. Right: "
            "right thoughts, wrapped up at their first arrival: `end` forces the end "
            "of the thought there, `wrap_up` adds the direction toward wrapping up. "
            "An action that lies above `resample` and `vote` gains more than its "
            "tokens. Bars are intervals over problems. The numbers are in "
            "wrong_samples/summary.parquet.",
        ),
    ),
    comparison=Comparison(
        "Thoughts, cut after their last arrival and continued; afresh is a new "
        "thought, and vote the majority of new draws. Left: wrong thoughts that end "
        "right. Middle: right thoughts that end wrong. Right: change of accuracy if "
        "all thoughts of the study were continued so. Dotted: no gain.",
        (
            Panel(
                title="Wrong thoughts mended",
                table="wrong_samples/summary",
                across="action",
                value="changed",
                where={"start": "wrong", "place": "last"},
                percent=True,
            ),
            Panel(
                title="Right thoughts spoiled",
                table="wrong_samples/summary",
                across="action",
                value="changed",
                where={"start": "right", "place": "last"},
                percent=True,
            ),
            Panel(
                title="Net gain of accuracy",
                table="wrong_samples/net",
                across="action",
                value="net",
                nothing=0.0,
                percent=True,
            ),
        ),
    ),
)
