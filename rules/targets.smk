"""Targets: a stage or experiment by its name, or the report, for all studies."""

for stage in registry.stages():

    rule:
        name:
            stage.name
        input:
            left_by(stage),
        localrule: True
        message:
            "Everything of a stage"


rule report:
    input:
        "results/report.html",
    localrule: True
    message:
        "The report"
