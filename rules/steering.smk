"""Steering: does a vector added to the residual stream make the model turn back?"""

from steering import settings as steering_settings


rule screen_steering:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        parts="<results>/{model}/{dataset}/directions/problems.parquet",
        units="<results>/{model}/{dataset}/directions/units.parquet",
        directions="<results>/{model}/{dataset}/directions/vectors.safetensors",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        model=model_files,
    output:
        screening="<results>/{model}/{dataset}/steering/shards/{shard}.screening.parquet",
        checks="<results>/{model}/{dataset}/steering/shards/{shard}.screening_checks.parquet",
        screening_runs="<results>/{model}/{dataset}/steering/shards/{shard}.screening_runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/steering/screen/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/steering/screen/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(720),
    params:
        model=model_settings,
        grid=steering_settings.screened(config),
        settings=steering_settings.decoded(config),
        code=code_digest("steering/screen"),
    message:
        "Screening of directions of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/steering/screen.py"


rule choose_steering:
    input:
        screening=shards_of(
            "<results>/{model}/{dataset}/steering/shards/{shard}.screening.parquet"
        ),
    output:
        cells="<results>/{model}/{dataset}/steering/cells.parquet",
    log:
        "<results>/{model}/{dataset}/logs/steering/choose.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/steering/choose.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        tolerance=config["steering"]["tolerance"],
        intervals=config["intervals"],
        code=code_digest("steering/choose"),
    message:
        "Choice of a direction of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/steering/choose.py"


rule measure_steering:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        parts="<results>/{model}/{dataset}/directions/problems.parquet",
        directions="<results>/{model}/{dataset}/directions/vectors.safetensors",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        cells=rules.choose_steering.output.cells,
        checks=rules.screen_steering.output.checks,
        screening_runs=rules.screen_steering.output.screening_runs,
        model=model_files,
    output:
        thoughts="<results>/{model}/{dataset}/steering/shards/{shard}.steering.parquet",
        short="<results>/{model}/{dataset}/steering/shards/{shard}.short.parquet",
        verification="<results>/{model}/{dataset}/steering/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/steering/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/steering/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/steering/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(720),
    params:
        model=model_settings,
        settings=steering_settings.decoded(config),
        code=code_digest("steering/measure"),
    message:
        "Steering of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/steering/measure.py"


rule summarise_steering:
    input:
        short="<results>/{model}/{dataset}/steering/short.parquet",
        thoughts="<results>/{model}/{dataset}/steering.parquet",
    output:
        ladder="<results>/{model}/{dataset}/steering/ladder.parquet",
        summary="<results>/{model}/{dataset}/steering/summary.parquet",
        trends="<results>/{model}/{dataset}/steering/trends.parquet",
        slopes="<results>/{model}/{dataset}/steering/slopes.parquet",
    log:
        "<results>/{model}/{dataset}/logs/steering/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/steering/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        tolerance=config["steering"]["tolerance"],
        intervals=config["intervals"],
        code=code_digest("steering/summarise"),
    message:
        "Means of steering of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/steering/summarise.py"


rule plot_steering:
    input:
        cells=rules.choose_steering.output.cells,
        ladder=rules.summarise_steering.output.ladder,
        summary=rules.summarise_steering.output.summary,
    output:
        **figures_of("steering"),
    log:
        "<results>/{model}/{dataset}/logs/steering/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/steering/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        confidence=config["intervals"]["confidence"],
        tolerance=config["steering"]["tolerance"],
        captions=captions_of("steering"),
        code=code_digest("steering/plot"),
    message:
        "Figures of steering of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/steering/plot.py"
