"""Wrong samples: can thoughts that end wrong be pushed to be right?"""

from wrong_samples import settings as wrong_samples_settings


rule measure_wrong_samples:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        recipes="<results>/{model}/{dataset}/directions.parquet",
        parts="<results>/{model}/{dataset}/directions/problems.parquet",
        vectors="<results>/{model}/{dataset}/directions/vectors.safetensors",
        model=model_files,
    output:
        continuations="<results>/{model}/{dataset}/wrong_samples/shards/{shard}.wrong_samples.parquet",
        thoughts="<results>/{model}/{dataset}/wrong_samples/shards/{shard}.thoughts.parquet",
        verification="<results>/{model}/{dataset}/wrong_samples/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/wrong_samples/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/wrong_samples/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/wrong_samples/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(720),
    params:
        model=model_settings,
        settings=wrong_samples_settings.measure(config),
        code=code_digest("wrong_samples/measure"),
    message:
        "Wrong samples of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/wrong_samples/measure.py"


rule summarise_wrong_samples:
    input:
        continuations="<results>/{model}/{dataset}/wrong_samples.parquet",
        thoughts="<results>/{model}/{dataset}/wrong_samples/thoughts.parquet",
    output:
        summary="<results>/{model}/{dataset}/wrong_samples/summary.parquet",
        net="<results>/{model}/{dataset}/wrong_samples/net.parquet",
    log:
        "<results>/{model}/{dataset}/logs/wrong_samples/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/wrong_samples/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        intervals=config["intervals"],
        code=code_digest("wrong_samples/summarise"),
    message:
        "Mended and spoiled thoughts of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/wrong_samples/summarise.py"


rule plot_wrong_samples:
    input:
        summary=rules.summarise_wrong_samples.output.summary,
    output:
        **figures_of("wrong_samples"),
    log:
        "<results>/{model}/{dataset}/logs/wrong_samples/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/wrong_samples/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("wrong_samples"),
        code=code_digest("wrong_samples/plot"),
    message:
        "Figures of wrong samples of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/wrong_samples/plot.py"
