"""Twins: does the model turn back because of the planted cause?"""


rule measure_twins:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        truth="<results>/{model}/{dataset}/truth.parquet",
        model=model_files,
    output:
        twins="<results>/{model}/{dataset}/twins.parquet",
        verification="<results>/{model}/{dataset}/twins/verification.parquet",
        runs="<results>/{model}/{dataset}/twins/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/twins/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/twins/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        model=model_settings,
        settings=settings_of("twins", "batch_memory", "verification"),
        code=code_digest("twins/measure"),
    message:
        "Twins of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/twins/measure.py"


rule summarise_twins:
    input:
        twins=rules.measure_twins.output.twins,
        truth="<results>/{model}/{dataset}/truth.parquet",
    output:
        summary="<results>/{model}/{dataset}/twins/summary.parquet",
        rates="<results>/{model}/{dataset}/twins/rates.parquet",
    log:
        "<results>/{model}/{dataset}/logs/twins/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/twins/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        intervals=config["intervals"],
        code=code_digest("twins/summarise"),
    message:
        "Means of the twins of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/twins/summarise.py"


rule plot_twins:
    input:
        summary=rules.summarise_twins.output.summary,
        rates=rules.summarise_twins.output.rates,
    output:
        **figures_of("twins"),
    log:
        "<results>/{model}/{dataset}/logs/twins/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/twins/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("twins"),
        code=code_digest("twins/plot"),
    message:
        "Figures of the twins of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/twins/plot.py"
