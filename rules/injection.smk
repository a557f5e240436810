"""Injection: does a vector that is added once fade because it gets no attention?"""

from injection import settings as injection_settings


rule measure_injection:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        vectors="<results>/{model}/{dataset}/directions/vectors.safetensors",
        directions="<results>/{model}/{dataset}/directions.parquet",
        parts="<results>/{model}/{dataset}/directions/problems.parquet",
        problems="<results>/{model}/{dataset}/problems.parquet",
        model=model_files,
    output:
        injection="<results>/{model}/{dataset}/injection.parquet",
        attention="<results>/{model}/{dataset}/injection/attention.parquet",
        free_runs="<results>/{model}/{dataset}/injection/free_runs.parquet",
        verification="<results>/{model}/{dataset}/injection/verification.parquet",
        runs="<results>/{model}/{dataset}/injection/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/injection/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/injection/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(120),
    params:
        model=model_settings,
        settings=injection_settings.measure(config),
        code=code_digest("injection/measure"),
    message:
        "Injections at one token, {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/injection/measure.py"


rule summarise_injection:
    input:
        injection=rules.measure_injection.output.injection,
        attention=rules.measure_injection.output.attention,
        free_runs=rules.measure_injection.output.free_runs,
    output:
        decay="<results>/{model}/{dataset}/injection/decay.parquet",
        summary="<results>/{model}/{dataset}/injection/summary.parquet",
        attended="<results>/{model}/{dataset}/injection/attended.parquet",
        tests="<results>/{model}/{dataset}/injection/tests.parquet",
        free="<results>/{model}/{dataset}/injection/free.parquet",
    log:
        "<results>/{model}/{dataset}/logs/injection/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/injection/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        tested_strength=config["injection"]["tested_strength"],
        intervals=config["intervals"],
        code=code_digest("injection/summarise"),
    message:
        "Means of the injections of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/injection/summarise.py"


rule plot_injection:
    input:
        decay=rules.summarise_injection.output.decay,
        summary=rules.summarise_injection.output.summary,
        attended=rules.summarise_injection.output.attended,
        free=rules.summarise_injection.output.free,
    output:
        **figures_of("injection"),
    log:
        "<results>/{model}/{dataset}/logs/injection/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/injection/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        tested_strength=config["injection"]["tested_strength"],
        confidence=config["intervals"]["confidence"],
        captions=captions_of("injection"),
        code=code_digest("injection/plot"),
    message:
        "Figures of the injections of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/injection/plot.py"
