"""Events: where a thought arrives at an answer, turns back and wraps up."""


rule detect_events:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
    output:
        events="<results>/{model}/{dataset}/events.parquet",
    log:
        "<results>/{model}/{dataset}/logs/events/detect.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/events/detect.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings={
            "detector": config["events"]["detector"],
            "words": config["turns"]["words"],
        },
        code=code_digest("events/detect"),
    message:
        "Arrivals and backtracks of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/events/detect.py"


rule count_events:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
    output:
        counts="<results>/{model}/{dataset}/events/counts.parquet",
    log:
        "<results>/{model}/{dataset}/logs/events/count.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/events/count.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_digest("events/count"),
    message:
        "Counts of events per detector of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/events/count.py"
