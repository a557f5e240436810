"""Every table by its name."""

from doubletake.schemas.activations import ACTIVATION_INDEX
from doubletake.schemas.checks import RUNS, VERIFICATION
from doubletake.schemas.detector import DETECTOR_MISTAKES, DETECTOR_SCORES
from doubletake.schemas.early_exit import (
    EARLY_EXIT,
    EARLY_EXIT_CALIBRATION,
    EARLY_EXIT_SUMMARY,
)
from doubletake.schemas.study import EVENTS, PROBLEMS, TRACES
from doubletake.schemas.tables import Table

TABLES: tuple[Table, ...] = (
    PROBLEMS,
    TRACES,
    EVENTS,
    DETECTOR_SCORES,
    DETECTOR_MISTAKES,
    ACTIVATION_INDEX,
    EARLY_EXIT,
    EARLY_EXIT_SUMMARY,
    EARLY_EXIT_CALIBRATION,
    VERIFICATION,
    RUNS,
)
