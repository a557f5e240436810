"""Probing: what the residual stream tells, layer by layer, at turns and arrivals."""


rule measure_probing:
    input:
        events="<results>/{model}/{dataset}/events.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        caches=shards_of("<results>/{model}/{dataset}/activations/{shard}.safetensors"),
    output:
        scores="<results>/{model}/{dataset}/probing/shards/{shard}.scores.parquet",
        directions="<results>/{model}/{dataset}/probing/shards/{shard}.safetensors",
        verification="<results>/{model}/{dataset}/probing/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/probing/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/probing/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/probing/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=settings_of("probing", "verification"),
        least_problems=config["intervals"]["least_problems"],
        code=code_digest("probing/measure"),
    message:
        "Probes of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/probing/measure.py"


rule summarise_probing:
    input:
        scores="<results>/{model}/{dataset}/probing/scores.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        directions=shards_of(
            "<results>/{model}/{dataset}/probing/shards/{shard}.safetensors"
        ),
    output:
        probing="<results>/{model}/{dataset}/probing.parquet",
        contrasts="<results>/{model}/{dataset}/probing/contrasts.parquet",
        directions="<results>/{model}/{dataset}/probing/directions.safetensors",
    log:
        "<results>/{model}/{dataset}/logs/probing/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/probing/summarise.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        folds=config["probing"]["folds"],
        seed=config["probing"]["seed"],
        intervals=config["intervals"],
        code=code_digest("probing/summarise"),
    message:
        "AUROC and accuracy of the probes of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/probing/summarise.py"


rule plot_probing:
    input:
        probing=rules.summarise_probing.output.probing,
        contrasts=rules.summarise_probing.output.contrasts,
    output:
        **figures_of("probing"),
    log:
        "<results>/{model}/{dataset}/logs/probing/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/probing/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("probing"),
        code=code_digest("probing/plot"),
    message:
        "Figures of the probes of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/probing/plot.py"
