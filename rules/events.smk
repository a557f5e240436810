"""Events: where a thought arrives at an answer, turns back, wraps up."""


rule detect_events:
    input:
        problems=STUDY + "/problems.parquet",
        traces=STUDY + "/traces.parquet",
    output:
        events=STUDY + "/events.parquet",
    log:
        STUDY + "/logs/detect_events.log",
    benchmark:
        STUDY + "/benchmarks/detect_events.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=config["events"],
        code=code_digest("detect_events"),
    message:
        "Arrivals and backtracks of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/detect_events.py"
