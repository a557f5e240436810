"""Activations: what the model holds at every event, from one forward pass."""


rule cache_activations:
    input:
        traces=STUDY + "/traces.parquet",
        events=STUDY + "/events.parquet",
        model=model_files,
    output:
        cache=STUDY + "/activations/{shard}.safetensors",
        index=STUDY + "/activations/{shard}.index.parquet",
        verification=STUDY + "/activations/{shard}.verification.parquet",
        runs=STUDY + "/activations/{shard}.runs.parquet",
    log:
        STUDY + "/logs/cache_activations/{shard}.log",
    benchmark:
        STUDY + "/benchmarks/cache_activations/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=lambda wildcards, attempt: 24000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        model=model_settings,
        settings=config["activations"],
        code=code_digest("cache_activations"),
    message:
        "Activations of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/cache_activations.py"


rule merge_activations:
    input:
        parts=shards_of(STUDY + "/activations/{shard}.{part}.parquet"),
    output:
        table=STUDY + "/activations/{part}.parquet",
    log:
        STUDY + "/logs/merge_activations/{part}.log",
    wildcard_constraints:
        part="index|verification|runs",
    conda:
        ENVIRONMENT
    params:
        table=lambda wildcards: (
            "activations/index" if wildcards.part == "index" else wildcards.part
        ),
        sort=lambda wildcards: (
            ["trace", "event", "token"] if wildcards.part == "index" else []
        ),
        code=code_digest("merge_tables"),
    message:
        "Activations of {wildcards.model} on {wildcards.dataset}: {wildcards.part}"
    script:
        "../workflow/scripts/merge_tables.py"
