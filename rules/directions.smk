"""Directions: which vectors of the residual stream point toward turning back?"""


rule measure_directions:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        caches=shards_of("<results>/{model}/{dataset}/activations/{shard}.safetensors"),
        model=model_files,
    output:
        vectors="<results>/{model}/{dataset}/directions/vectors.safetensors",
        directions="<results>/{model}/{dataset}/directions.parquet",
        problems="<results>/{model}/{dataset}/directions/problems.parquet",
        units="<results>/{model}/{dataset}/directions/units.parquet",
        verification="<results>/{model}/{dataset}/directions/verification.parquet",
        runs="<results>/{model}/{dataset}/directions/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/directions/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/directions/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(120),
    params:
        model=model_settings,
        settings=settings_of("directions", "batch_memory", "verification"),
        least_problems=config["intervals"]["least_problems"],
        code=code_digest("directions/measure"),
    message:
        "Directions of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/directions/measure.py"
