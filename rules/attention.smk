"""Attention: where heads look before a turn, and what they write."""


rule measure_attention:
    input:
        traces="results/{model}/{dataset}/traces.parquet",
        events="results/{model}/{dataset}/events.parquet",
        turns="results/{model}/{dataset}/turns.parquet",
        words="results/{model}/{dataset}/turns/words.parquet",
        model=model_files,
    output:
        attention="results/{model}/{dataset}/attention/shards/{shard}.parquet",
        verification="results/{model}/{dataset}/attention/shards/{shard}.verification.parquet",
        runs="results/{model}/{dataset}/attention/shards/{shard}.runs.parquet",
    log:
        "results/{model}/{dataset}/logs/attention/{shard}.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/attention/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(120),
    params:
        model=model_settings,
        settings={key: config[key] for key in ("batch_memory", "verification")},
        code=code_digest("attention/measure"),
    message:
        "Attention of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/attention/measure.py"


rule merge_attention:
    input:
        parts=shards_of("results/{model}/{dataset}/attention/shards/{shard}.parquet"),
    output:
        table="results/{model}/{dataset}/attention.parquet",
    log:
        "results/{model}/{dataset}/logs/merge_attention.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        table="attention",
        sort=["trace", "event", "layer"],
        code=code_digest("shards/merge", "attention.tables"),
    message:
        "Attention of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/shards/merge.py"


rule summarise_attention:
    input:
        attention=rules.merge_attention.output.table,
    output:
        summary="results/{model}/{dataset}/attention/summary.parquet",
        heads="results/{model}/{dataset}/attention/heads.parquet",
    log:
        "results/{model}/{dataset}/logs/summarise_attention.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/summarise_attention.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        settings=config["intervals"],
        code=code_digest("attention/summarise"),
    message:
        "Attention of {wildcards.model} on {wildcards.dataset} in numbers"
    script:
        "../workflow/scripts/attention/summarise.py"


rule plot_attention:
    input:
        summary=rules.summarise_attention.output.summary,
        heads=rules.summarise_attention.output.heads,
    output:
        attribution=report(
            "results/{model}/{dataset}/attention/attribution.svg",
            caption="../workflow/report/attention_attribution.rst",
            category="Attention",
            subcategory="{model} on {dataset}",
            labels={"figure": "attribution"},
        ),
        arrivals=report(
            "results/{model}/{dataset}/attention/arrivals.svg",
            caption="../workflow/report/attention_arrivals.rst",
            category="Attention",
            subcategory="{model} on {dataset}",
            labels={"figure": "arrivals"},
        ),
        bins=report(
            "results/{model}/{dataset}/attention/bins.svg",
            caption="../workflow/report/attention_bins.rst",
            category="Attention",
            subcategory="{model} on {dataset}",
            labels={"figure": "bins"},
        ),
    log:
        "results/{model}/{dataset}/logs/plot_attention.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/plot_attention.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings={"confidence": config["intervals"]["confidence"]},
        code=code_digest("attention/plot"),
    message:
        "Attention figures of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/attention/plot.py"
