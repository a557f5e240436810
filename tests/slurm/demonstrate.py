"""Time the default study on a cluster of this machine, by shards and nodes.

Prints the table of docs/slurm.md, with a digest that shows equal tables.

Run, as root: .venv/bin/python tests/slurm/demonstrate.py
"""

import hashlib
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))

import polars as pl
from checkouts import Checkout
from cluster import Cluster
from remote import PROFILE, Remote

from attention.tables import ATTENTION
from attribution.tables import ATTRIBUTION
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES
from turns.tables import TURNS

TABLES = {
    "problems.parquet": PROBLEMS,
    "traces.parquet": TRACES,
    "events.parquet": EVENTS,
    "early_exit.parquet": EARLY_EXIT,
    "turns.parquet": TURNS,
    "attention.parquet": ATTENTION,
    "attribution.parquet": ATTRIBUTION,
}
FLOATS = (pl.Float32, pl.Float64, pl.List(pl.Float32), pl.List(pl.Float64))
HEAD = """| shards | nodes | jobs | seconds of jobs | seconds in all | digest | floats |
|---|---|---|---|---|---|---|"""
PARTITION = {1: "single", 2: "main"}  # by nodes


class Study(Remote):
    """The unchanged default study, with the unchanged profile."""

    def command(self, *arguments: str) -> list[str]:
        """The command line of a run."""
        return [sys.executable, "-m", "snakemake", *PROFILE, *arguments]


def contents(study: Path) -> tuple[str, pl.Series]:
    """Digest of all values that are not floats (ids, tokens, texts), and all floats."""
    digest, floats = hashlib.sha256(), []
    for name, table in TABLES.items():
        frame = table.read(study / name)
        exact = [name for name, dtype in frame.schema.items() if dtype not in FLOATS]
        digest.update(frame.select(exact).write_json().encode())
        for column in frame.drop(exact).iter_columns():
            values = column.explode() if column.dtype.is_nested() else column
            floats.append(values.cast(pl.Float64))
    return digest.hexdigest()[:12], pl.concat([s.alias("") for s in floats])


def main() -> None:
    """Run the four combinations one after the other."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-demonstration-"))
    cluster = Cluster(folder / "cluster")
    reference: pl.Series | None = None
    print(HEAD, flush=True)
    try:
        cluster.folder.mkdir()
        cluster.start()
        for shards, nodes in ((1, 1), (4, 1), (1, 2), (4, 2)):
            checkout = Checkout.new(folder / f"{shards}-on-{nodes}")
            study = Study(checkout.folder, cluster)
            study.variables["SBATCH_PARTITION"] = PARTITION[nodes]
            started = time.monotonic()
            status = study.start("--config", f"shards={shards}").wait()
            wall = time.monotonic() - started
            assert status == 0, study.output
            digest, floats = contents(study.study())
            reference = floats if reference is None else reference
            off = (floats - reference).abs().max()
            jobs = study.jobs()
            work = sum(job.seconds for job in jobs)
            row = f"| {shards} | {nodes} | {len(jobs)} | {work} | {wall:.0f} "
            print(f"{row}| `{digest}` | {off:.1e} |", flush=True)
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
