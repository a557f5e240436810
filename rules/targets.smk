"""Targets for all studies: the name of a stage or experiment, `report` or `explorer`."""

for stage in registry.stages():

    rule:
        name:
            stage.name
        input:
            left_by(stage),
        localrule: True
        message:
            f"All results of a stage: {stage.title}"


rule report:
    input:
        "<results>/report.html",
        "<results>/explorer",
    localrule: True
    message:
        "The report, and the explorer that it links to"


rule explorer:
    input:
        "<results>/explorer",
    localrule: True
    message:
        "The explorer"
