"""Decoding actions: what do forbidding backtrack words and forcing a turn change?"""

from decoding_actions import settings as decoding_actions_settings


rule measure_decoding_actions:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        model=model_files,
    output:
        thoughts="<results>/{model}/{dataset}/decoding_actions/shards/{shard}.decoding_actions.parquet",
        words="<results>/{model}/{dataset}/decoding_actions/shards/{shard}.words.parquet",
        verification="<results>/{model}/{dataset}/decoding_actions/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/decoding_actions/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/decoding_actions/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/decoding_actions/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(720),
    params:
        model=model_settings,
        settings=lambda wildcards: decoding_actions_settings.measure(
            config, wildcards.model
        ),
        code=code_digest("decoding_actions/measure"),
    message:
        "Decoding actions of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/decoding_actions/measure.py"


rule summarise_decoding_actions:
    input:
        thoughts="<results>/{model}/{dataset}/decoding_actions.parquet",
    output:
        summary="<results>/{model}/{dataset}/decoding_actions/summary.parquet",
    log:
        "<results>/{model}/{dataset}/logs/decoding_actions/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/decoding_actions/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        intervals=config["intervals"],
        code=code_digest("decoding_actions/summarise"),
    message:
        "Means of decoding actions of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/decoding_actions/summarise.py"


rule plot_decoding_actions:
    input:
        summary=rules.summarise_decoding_actions.output.summary,
    output:
        **figures_of("decoding_actions"),
    log:
        "<results>/{model}/{dataset}/logs/decoding_actions/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/decoding_actions/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("decoding_actions"),
        code=code_digest("decoding_actions/plot"),
    message:
        "Figure of decoding actions of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/decoding_actions/plot.py"
