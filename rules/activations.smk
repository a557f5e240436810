"""Activations: what the model holds at every event, from one forward pass."""


rule cache_activations:
    input:
        traces="results/{model}/{dataset}/traces.parquet",
        events="results/{model}/{dataset}/events.parquet",
        model=model_files,
    output:
        cache="results/{model}/{dataset}/activations/{shard}.safetensors",
        index="results/{model}/{dataset}/activations/{shard}.index.parquet",
        verification="results/{model}/{dataset}/activations/{shard}.verification.parquet",
        runs="results/{model}/{dataset}/activations/{shard}.runs.parquet",
    log:
        "results/{model}/{dataset}/logs/cache_activations/{shard}.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/cache_activations/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=config["activations"]
        | {key: config[key] for key in ("batch_memory", "verification")},
        code=code_digest("activations/cache"),
    message:
        "Activations of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/activations/cache.py"


rule merge_activations:
    input:
        parts=shards_of("results/{model}/{dataset}/activations/{shard}.{part}.parquet"),
    output:
        table="results/{model}/{dataset}/activations/{part}.parquet",
    log:
        "results/{model}/{dataset}/logs/merge_activations/{part}.log",
    wildcard_constraints:
        part="index|verification|runs",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        table=lambda wildcards: (
            "activations/index" if wildcards.part == "index" else wildcards.part
        ),
        sort=lambda wildcards: (
            ["trace", "event", "token"] if wildcards.part == "index" else []
        ),
        code=code_digest(
            "shards/merge",
            "activations.tables",
            "doubletake.tables.verification",
            "doubletake.tables.runs",
        ),
    message:
        "Activations of {wildcards.model} on {wildcards.dataset}: {wildcards.part}"
    script:
        "../workflow/scripts/shards/merge.py"
