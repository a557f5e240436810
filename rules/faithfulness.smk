"""Faithfulness: does the answer depend on the thought?"""

from faithfulness import settings as faithfulness_settings


rule measure_faithfulness:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        points="<results>/{model}/{dataset}/trial_points.parquet",
        model=model_files,
    output:
        answers="<results>/{model}/{dataset}/faithfulness.parquet",
        verification="<results>/{model}/{dataset}/faithfulness/verification.parquet",
        runs="<results>/{model}/{dataset}/faithfulness/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/faithfulness/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/faithfulness/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=lambda wildcards: faithfulness_settings.measure(
            config, wildcards.model
        ),
        code=code_digest("faithfulness/measure"),
    message:
        "Replaced thoughts of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/faithfulness/measure.py"


rule summarise_faithfulness:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        points="<results>/{model}/{dataset}/trial_points.parquet",
        exits="<results>/{model}/{dataset}/early_exit.parquet",
        answers=rules.measure_faithfulness.output.answers,
    output:
        cuts="<results>/{model}/{dataset}/faithfulness/cuts.parquet",
        curves="<results>/{model}/{dataset}/faithfulness/curves.parquet",
        areas="<results>/{model}/{dataset}/faithfulness/areas.parquet",
        contexts="<results>/{model}/{dataset}/faithfulness/contexts.parquet",
        tests="<results>/{model}/{dataset}/faithfulness/tests.parquet",
    log:
        "<results>/{model}/{dataset}/logs/faithfulness/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/faithfulness/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        intervals=config["intervals"],
        code=code_digest("faithfulness/summarise"),
    message:
        "Faithfulness of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/faithfulness/summarise.py"


rule plot_faithfulness:
    input:
        curves=rules.summarise_faithfulness.output.curves,
        areas=rules.summarise_faithfulness.output.areas,
        contexts=rules.summarise_faithfulness.output.contexts,
    output:
        **figures_of("faithfulness"),
    log:
        "<results>/{model}/{dataset}/logs/faithfulness/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/faithfulness/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("faithfulness"),
        code=code_digest("faithfulness/plot"),
    message:
        "Figures of the faithfulness of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/faithfulness/plot.py"
