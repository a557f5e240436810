"""Mistakes: are inserted mistakes noticed and mended?"""

from mistakes import settings as mistakes_settings


rule measure_mistakes:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        truth="<results>/{model}/{dataset}/truth.parquet",
        model=model_files,
    output:
        mistakes="<results>/{model}/{dataset}/mistakes/shards/{shard}.mistakes.parquet",
        edits="<results>/{model}/{dataset}/mistakes/shards/{shard}.edits.parquet",
        boundaries="<results>/{model}/{dataset}/mistakes/shards/{shard}.boundaries.parquet",
        verification="<results>/{model}/{dataset}/mistakes/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/mistakes/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/mistakes/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/mistakes/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(720),
    params:
        model=model_settings,
        settings=mistakes_settings.measure(config),
        code=code_digest("mistakes/measure"),
    message:
        "Mistakes of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/mistakes/measure.py"


rule summarise_mistakes:
    input:
        mistakes="<results>/{model}/{dataset}/mistakes.parquet",
        boundaries="<results>/{model}/{dataset}/mistakes/boundaries.parquet",
    output:
        summary="<results>/{model}/{dataset}/mistakes/summary.parquet",
        contrasts="<results>/{model}/{dataset}/mistakes/contrasts.parquet",
        planted="<results>/{model}/{dataset}/mistakes/planted.parquet",
    log:
        "<results>/{model}/{dataset}/logs/mistakes/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/mistakes/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        intervals=config["intervals"],
        code=code_digest("mistakes/summarise"),
    message:
        "Noticed and mended mistakes of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/mistakes/summarise.py"


rule plot_mistakes:
    input:
        summary=rules.summarise_mistakes.output.summary,
        contrasts=rules.summarise_mistakes.output.contrasts,
        planted=rules.summarise_mistakes.output.planted,
    output:
        **figures_of("mistakes"),
    log:
        "<results>/{model}/{dataset}/logs/mistakes/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/mistakes/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("mistakes"),
        code=code_digest("mistakes/plot"),
    message:
        "Figures of mistakes of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/mistakes/plot.py"
