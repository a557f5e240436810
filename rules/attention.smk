"""Attention: where heads look before a turn, and what they write."""


rule measure_attention:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        model=model_files,
    output:
        attention="<results>/{model}/{dataset}/attention/shards/{shard}.attention.parquet",
        verification="<results>/{model}/{dataset}/attention/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/attention/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/attention/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/attention/measure/{shard}.tsv"
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


rule summarise_attention:
    input:
        attention="<results>/{model}/{dataset}/attention.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
    output:
        summary="<results>/{model}/{dataset}/attention/summary.parquet",
        heads="<results>/{model}/{dataset}/attention/heads.parquet",
    log:
        "<results>/{model}/{dataset}/logs/attention/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/attention/summarise.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        settings=config["intervals"],
        code=code_digest("attention/summarise"),
    message:
        "Means of the attention of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/attention/summarise.py"


rule plot_attention:
    input:
        summary=rules.summarise_attention.output.summary,
        heads=rules.summarise_attention.output.heads,
    output:
        **figures_of("attention"),
    log:
        "<results>/{model}/{dataset}/logs/attention/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/attention/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings={"confidence": config["intervals"]["confidence"]},
        captions=captions_of("attention"),
        code=code_digest("attention/plot"),
    message:
        "Attention figures of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/attention/plot.py"
