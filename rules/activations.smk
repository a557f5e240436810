"""Activations: what the model holds at every event, from one forward pass."""


rule cache_activations:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
        model=model_files,
    output:
        cache="<results>/{model}/{dataset}/activations/{shard}.safetensors",
        index="<results>/{model}/{dataset}/activations/shards/{shard}.index.parquet",
        verification="<results>/{model}/{dataset}/activations/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/activations/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/activations/cache/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/activations/cache/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=settings_of("activations", "batch_memory", "verification"),
        code=code_digest("activations/cache"),
    message:
        "Activations of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/activations/cache.py"
