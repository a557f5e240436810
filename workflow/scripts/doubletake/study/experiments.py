"""The experiments that the report shows, in their order. A new one is added here."""

from attention.page import ATTENTION
from attribution.page import ATTRIBUTION
from doubletake.page.sections import Section
from early_exit.page import EARLY_EXIT
from logit_lens.page import LOGIT_LENS
from probing.page import PROBING
from value_vectors.page import VALUE_VECTORS

EXPERIMENTS: tuple[Section, ...] = (
    EARLY_EXIT,
    LOGIT_LENS,
    PROBING,
    VALUE_VECTORS,
    ATTRIBUTION,
    ATTENTION,
)

STAGES = ("activations", *(section.name for section in EXPERIMENTS))
"""What leaves a run table in a folder of its own."""

CHECKED = ("activations", "turns", *STAGES[1:])
"""What leaves a verification table."""

TABLES = tuple(
    dict.fromkeys(
        ["problems", "traces", "events"]
        + [name for section in EXPERIMENTS for name in section.tables]
    )
)
"""Tables that the page reads, by name of `schemas`."""

ARTIFACTS = (
    "activations/index.parquet",
    *(name for section in EXPERIMENTS for name in section.artifacts),
)
"""What else a study leaves, whatever its shards: files that the page does not read."""
