"""Repetition: is the confidence at an exit more than copying?"""

from repetition import settings as repetition_settings


rule measure_repetition:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        model=model_files,
    output:
        repetition="<results>/{model}/{dataset}/repetition.parquet",
        verification="<results>/{model}/{dataset}/repetition/verification.parquet",
        runs="<results>/{model}/{dataset}/repetition/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/repetition/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/repetition/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(120),
    params:
        model=model_settings,
        settings=lambda wildcards: repetition_settings.measure(config, wildcards.model),
        code=code_digest("repetition/measure"),
    message:
        "Repeated answers of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/repetition/measure.py"


rule summarise_repetition:
    input:
        repetition=rules.measure_repetition.output.repetition,
    output:
        points="<results>/{model}/{dataset}/repetition/points.parquet",
        steps="<results>/{model}/{dataset}/repetition/steps.parquet",
        pull="<results>/{model}/{dataset}/repetition/pull.parquet",
        tests="<results>/{model}/{dataset}/repetition/tests.parquet",
    log:
        "<results>/{model}/{dataset}/logs/repetition/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/repetition/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        intervals=config["intervals"],
        code=code_digest("repetition/summarise"),
    message:
        "Means of the repeated answers of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/repetition/summarise.py"


rule plot_repetition:
    input:
        points=rules.summarise_repetition.output.points,
    output:
        **figures_of("repetition"),
    log:
        "<results>/{model}/{dataset}/logs/repetition/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/repetition/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("repetition"),
        code=code_digest("repetition/plot"),
    message:
        "Figures of the repeated answers of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/repetition/plot.py"
