"""The workflow's folder, its code, and the config: read, completed and checked.

Snakemake may run in any folder. The default config, imports and resources are those of
the folder of this workflow, which need not be that of the main Snakefile (`module`).
"""

import os
import sys
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

if not workflow.current_basedir.is_local:
    raise WorkflowError(
        "doubletake runs code of its own folder: clone it, and name the Snakefile of "
        f"the clone instead of {workflow.current_basedir}"
    )
if workflow.modifier.path_modifier.prefix or (
    workflow.modifier.path_modifier.modifies_prefixes
):
    raise WorkflowError(
        "doubletake cannot be used with `prefix` or `replace_prefix` of a module: set "
        "the folder of the results in its config, as `results`"
    )

HERE = Path(str(workflow.current_basedir)).resolve().parent

# Snakemake and its jobs use the code of this checkout.
SCRIPTS = str(HERE / "workflow/scripts")
sys.path.insert(0, SCRIPTS)
OWN_PATH = os.getenv("PYTHONPATH", "").split(os.pathsep)
os.environ.update(
    PYTHONPATH=os.pathsep.join(dict.fromkeys([SCRIPTS, *filter(None, OWN_PATH)])),
    # A job ends when this process is gone.
    DOUBLETAKE_RUN=str(os.getpid()),
)

from doubletake.running.errors import InputError
from doubletake.running.visible_text import visible
from doubletake.study import settings as studies
from doubletake.study.command_line import command_line_values
from doubletake.study.config_schema import config_schema
from doubletake.study.config_shape import check_shape
from doubletake.study.other_results import published_run

SOURCES = studies.Sources((Path.cwd(), HERE))


def changes():
    """What changes the default config, in order."""
    if workflow.modifier.skip_configfile:  # a module for which a config is given
        yield config
        return
    beside = Path("config/config.yaml")
    if workflow.modifier.is_main_snakefile() and Path.cwd() != HERE and beside.exists():
        logger.info(f"The default config is changed by {beside.resolve()}")
        yield load_configfile(beside)
    given = workflow.config_settings
    yield from map(load_configfile, given.configfiles)
    yield from command_line_values(given.config_args, given.config)


CHANGES = list(changes())
config = load_configfile(HERE / "config/config.yaml")
for change in CHANGES:
    update_config(config, change)

try:
    check_shape(config, config_schema())
    config["results"] = studies.results_folder(config)
    studies.check(config, SOURCES)
    published_run(config)
except InputError as error:
    raise WorkflowError(visible(f"config: {error}")) from None


# In paths of rules, <results> is this folder.
pathvars:
    results=config["results"],


config["results"] = workflow.pathvars.get("results")  # a module may set it too
