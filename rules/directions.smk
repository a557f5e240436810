"""Directions: which vectors of the residual stream point toward turning back?"""

from directions.windows import check_windows

try:
    check_windows(config["directions"]["windows"])
except InputError as error:
    raise WorkflowError(f"config: {error}") from None


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
        pairs="<results>/{model}/{dataset}/directions/pairs.parquet",
        cosines="<results>/{model}/{dataset}/directions/cosines.parquet",
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


rule summarise_directions:
    input:
        pairs=rules.measure_directions.output.pairs,
    output:
        held_out="<results>/{model}/{dataset}/directions/held_out.parquet",
    log:
        "<results>/{model}/{dataset}/logs/directions/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/directions/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        intervals=config["intervals"],
        code=code_digest("directions/summarise"),
    message:
        "Directions in the test problems of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/directions/summarise.py"


rule plot_directions:
    input:
        directions=rules.measure_directions.output.directions,
        held_out=rules.summarise_directions.output.held_out,
        cosines=rules.measure_directions.output.cosines,
    output:
        **figures_of("directions"),
    log:
        "<results>/{model}/{dataset}/logs/directions/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/directions/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("directions"),
        code=code_digest("directions/plot"),
    message:
        "Figure of the directions of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/directions/plot.py"
