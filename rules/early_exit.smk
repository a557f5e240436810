"""Early exit: what would the model answer at each place where it holds an answer?"""

EARLY_EXIT_PUBLISHED = SOURCES.local("resources/reference/early_exit_published.json")


rule measure_early_exit:
    input:
        problems="results/{model}/{dataset}/problems.parquet",
        traces="results/{model}/{dataset}/traces.parquet",
        events="results/{model}/{dataset}/events.parquet",
        model=model_files,
    output:
        exits="results/{model}/{dataset}/early_exit/shards/{shard}.parquet",
        verification="results/{model}/{dataset}/early_exit/shards/{shard}.verification.parquet",
        runs="results/{model}/{dataset}/early_exit/shards/{shard}.runs.parquet",
    log:
        "results/{model}/{dataset}/logs/early_exit/{shard}.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/early_exit/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=lambda wildcards: studies.early_exit_settings(config, wildcards.model),
        code=code_digest("early_exit/measure"),
    message:
        "Early exits of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/early_exit/measure.py"


rule merge_early_exit:
    input:
        parts=shards_of("results/{model}/{dataset}/early_exit/shards/{shard}.parquet"),
    output:
        table="results/{model}/{dataset}/early_exit.parquet",
    log:
        "results/{model}/{dataset}/logs/merge_early_exit.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        table="early_exit",
        sort=["trace", "exit"],
        code=code_digest("shards/merge", "early_exit.tables"),
    message:
        "Early exits of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/shards/merge.py"


rule summarise_early_exit:
    input:
        exits=rules.merge_early_exit.output.table,
        traces="results/{model}/{dataset}/traces.parquet",
        events="results/{model}/{dataset}/events.parquet",
        published=EARLY_EXIT_PUBLISHED,
    output:
        summary="results/{model}/{dataset}/early_exit/summary.parquet",
        calibration="results/{model}/{dataset}/early_exit/calibration.parquet",
    log:
        "results/{model}/{dataset}/logs/summarise_early_exit.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/summarise_early_exit.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        model=lambda wildcards: config["models"][wildcards.model]["source"],
        dataset=lambda wildcards: config["datasets"][wildcards.dataset]["source"],
        settings=studies.early_exit_plot_settings(config),
        code=code_digest("early_exit/summarise"),
    message:
        "Early exits of {wildcards.model} on {wildcards.dataset} in numbers"
    script:
        "../workflow/scripts/early_exit/summarise.py"


rule plot_early_exit:
    input:
        exits=rules.merge_early_exit.output.table,
        summary=rules.summarise_early_exit.output.summary,
        bins=rules.summarise_early_exit.output.calibration,
        published=EARLY_EXIT_PUBLISHED,
    output:
        confidence=report(
            "results/{model}/{dataset}/early_exit/confidence.svg",
            caption="../workflow/report/early_exit_confidence.rst",
            category="Early exit",
            subcategory="{model} on {dataset}",
            labels={"figure": "confidence"},
        ),
        accuracy=report(
            "results/{model}/{dataset}/early_exit/accuracy.svg",
            caption="../workflow/report/early_exit_accuracy.rst",
            category="Early exit",
            subcategory="{model} on {dataset}",
            labels={"figure": "accuracy"},
        ),
        calibration=report(
            "results/{model}/{dataset}/early_exit/calibration.svg",
            caption="../workflow/report/early_exit_calibration.rst",
            category="Early exit",
            subcategory="{model} on {dataset}",
            labels={"figure": "calibration"},
        ),
    log:
        "results/{model}/{dataset}/logs/plot_early_exit.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/plot_early_exit.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        settings={
            "groups": config["early_exit"]["groups"],
            "confidence": config["intervals"]["confidence"],
        },
        code=code_digest("early_exit/plot"),
    message:
        "Early-exit figures of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/early_exit/plot.py"
