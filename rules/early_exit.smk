"""Early exit: what would the model answer if it stopped after each arrival?"""

from early_exit import settings as early_exit_settings

EARLY_EXIT_PUBLISHED = SOURCES.own("resources/reference/early_exit_published.json")


rule measure_early_exit:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        model=model_files,
    output:
        exits="<results>/{model}/{dataset}/early_exit/shards/{shard}.early_exit.parquet",
        verification="<results>/{model}/{dataset}/early_exit/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/early_exit/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/early_exit/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/early_exit/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=lambda wildcards: early_exit_settings.measure(config, wildcards.model),
        code=code_digest("early_exit/measure"),
    message:
        "Early exits of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/early_exit/measure.py"


rule summarise_early_exit:
    input:
        exits="<results>/{model}/{dataset}/early_exit.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        published=EARLY_EXIT_PUBLISHED,
    output:
        summary="<results>/{model}/{dataset}/early_exit/summary.parquet",
        slopes="<results>/{model}/{dataset}/early_exit/slopes.parquet",
        calibration="<results>/{model}/{dataset}/early_exit/calibration.parquet",
    log:
        "<results>/{model}/{dataset}/logs/early_exit/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/early_exit/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        model=lambda wildcards: config["models"][wildcards.model]["source"],
        dataset=lambda wildcards: config["datasets"][wildcards.dataset]["source"],
        settings=early_exit_settings.summarise(config),
        code=code_digest("early_exit/summarise"),
    message:
        "Summary of early exits of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/early_exit/summarise.py"


rule plot_early_exit:
    input:
        exits="<results>/{model}/{dataset}/early_exit.parquet",
        summary=rules.summarise_early_exit.output.summary,
        bins=rules.summarise_early_exit.output.calibration,
        published=EARLY_EXIT_PUBLISHED,
    output:
        **figures_of("early_exit"),
    log:
        "<results>/{model}/{dataset}/logs/early_exit/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/early_exit/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        settings=early_exit_settings.plot(config),
        captions=captions_of("early_exit"),
        code=code_digest("early_exit/plot"),
    message:
        "Early-exit figures of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/early_exit/plot.py"
