"""Declares the tables, figures and files of this stage."""

from doubletake.study.declaration import Stage
from unmatched_probes.tables import UNMATCHED_PROBES

DECLARATION = Stage(
    name="unmatched_probes",
    order=31,
    title="Unmatched probes",
    holds="probes of turning back against wrapping up, without matched pairs",
    tables=(UNMATCHED_PROBES,),
)
