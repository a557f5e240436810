"""Targets: an experiment by its name, or the report, for all studies of the config."""

from doubletake.study.experiments import EXPERIMENTS

for section in EXPERIMENTS:

    rule:
        name:
            section.name
        input:
            of_experiment(section),
        localrule: True
        message:
            "Everything of an experiment"


rule report:
    input:
        "results/report.html",
    localrule: True
    message:
        "The report"
