"""Detectors: how often each is right, on traces labelled by a reader."""


rule score_detector:
    input:
        labels=studies.labels_file(config, SOURCES),
    output:
        scores="<results>/detector/scores.parquet",
        mistakes="<results>/detector/mistakes.parquet",
    log:
        "<results>/detector/logs/score.log",
    benchmark:
        "<results>/detector/benchmarks/score.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=config["intervals"],
        code=code_digest("detector/score"),
    message:
        "Scores of the detectors on labelled traces"
    script:
        "../workflow/scripts/detector/score.py"
