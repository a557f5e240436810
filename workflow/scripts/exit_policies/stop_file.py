"""Which exit rules would stop the thoughts of a file, at which cost?

Use: `stop_file.py thoughts.jsonl model`, without a config. A second call reuses what
the first one has computed.

Inputs
    thoughts: rows in a form that `doubletake.user_files` knows, as for an import, with
        reference answers. They may stand in another file (`--problems`).
    model: a folder, or an id on the hub with `--revision`. It answers at trial points.

Outputs
    results: a study with the stages that exit rules need, its config and its log, in
        `results/stop` or the folder that `--results` names.
    standard output: the rules in the order of what they save, and where results lie.
"""

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import yaml

from doubletake.running.commands import command
from doubletake.running.errors import InputError
from doubletake.running.files import write_whole
from doubletake.study.registry import stages
from exit_policies.leaderboard import leaderboard
from exit_policies.stop_config import StopRequest, stop_config
from exit_policies.tables import POLICIES
from exit_policies.workflow_run import run_workflow

WANTED = ("exit_policies", "exit_guarantees", "repair")


def main(request: StopRequest, *, own_config: Path | None, cores: str) -> str:
    """Run the stages that exit rules need; return the rules and where results lie.

    Args:
        request: the thoughts, the model, and where the results go.
        own_config: a config file with further keys; its studies are not read.
        cores: number of cores, or "all".

    Raises:
        InputError: a file is missing, or the workflow refuses it.
    """
    for key, path in (("TRACES", request.thoughts), ("PROBLEMS", request.problems)):
        if path and not Path(path).exists():
            raise InputError(f"{key}: no such file or folder: {path}")
    if own_config is not None and not own_config.is_file():
        raise InputError(f"CONFIG: no such file: {own_config}")
    folder = request.folder
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "stop.yaml", folder / "stop.log"
    text = yaml.safe_dump(stop_config(request), sort_keys=False, allow_unicode=True)
    write_whole(config, text.encode())
    targets = [stage.name for stage in stages() if stage.name in WANTED]
    configs = [path for path in (own_config, config) if path is not None]
    run_workflow(configs, targets, cores=cores, log=log)
    policies = POLICIES.read(folder / "exit_policies/policies.parquet")
    folders = [f"  {folder / name}" for name in targets]
    named = shlex.join(map(str, configs))
    return "\n".join(
        [
            leaderboard(policies),
            "",
            "Tables and figures (docs/tables.md explains every column):",
            *folders,
            "All other experiments and the page:",
            f"  .venv/bin/snakemake --cores all --configfile {named}",
        ]
    )


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments of the command line. An empty one counts as not given."""
    parser = argparse.ArgumentParser(description="Compare exit rules on thoughts.")
    parser.add_argument("thoughts", help="file or folder of thoughts")
    parser.add_argument("model", help="folder of the model, or its id on the hub")
    parser.add_argument("--revision", default="", help="commit of a model on the hub")
    parser.add_argument("--problems", default="", help="file with questions and golds")
    parser.add_argument(
        "--columns", default="", help="columns by role: question=prompt,gold=answer"
    )
    parser.add_argument("--limit", default="", help="number of rows that are read")
    parser.add_argument("--dtype", default="", help="float32, bfloat16 or float16")
    parser.add_argument("--device", default="", help="auto, cpu or cuda")
    parser.add_argument("--config", default="", help="config file with further keys")
    parser.add_argument("--results", default="", help="folder; default: results/stop")
    parser.add_argument("--cores", default="", help="default: all")
    return parser.parse_args(words)


if __name__ == "__main__":
    with command():
        given = arguments()
        asked = StopRequest.of(given)
        own = Path(os.path.expanduser(given.config)) if given.config else None
        print(main(asked, own_config=own, cores=given.cores or "all"))
