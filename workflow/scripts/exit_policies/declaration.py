"""Declares the tables, figures and files of this experiment."""

from doubletake.study.declaration import Experiment
from exit_policies.tables import CURVES, LYNX_CALIBRATION, POLICIES, STOPS

DECLARATION = Experiment(
    name="exit_policies",
    order=12,
    title="Exit policies",
    question="Which rule stops a thought early, without the right answer, and at which "
    "cost?",
    holds="exit rules replayed on finished thoughts: cost, accuracy, guarantees",
    tables=(STOPS, POLICIES, CURVES, LYNX_CALIBRATION),
    figures=(),
)
