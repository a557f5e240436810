"""Exact attribution: what does exact patching say of the words?"""

from exact_attribution import settings as exact_attribution_settings


rule measure_exact_attribution:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        turn_words="<results>/{model}/{dataset}/turns/words.parquet",
        truth="<results>/{model}/{dataset}/truth.parquet",
        scores="<results>/{model}/{dataset}/attribution.parquet",
        tokens="<results>/{model}/{dataset}/attribution/tokens.parquet",
        prompts="<results>/{model}/{dataset}/attribution/prompts.parquet",
        words="<results>/{model}/{dataset}/attribution/words.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        cache=shards_of("<results>/{model}/{dataset}/activations/{shard}.safetensors"),
        model=model_files,
    output:
        events="<results>/{model}/{dataset}/exact_attribution/shards/{shard}.events.parquet",
        words="<results>/{model}/{dataset}/exact_attribution/shards/{shard}.words.parquet",
        cells="<results>/{model}/{dataset}/exact_attribution/shards/{shard}.cells.parquet",
        verification="<results>/{model}/{dataset}/exact_attribution/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/exact_attribution/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/exact_attribution/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/exact_attribution/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=exact_attribution_settings.measure(config),
        code=code_digest("exact_attribution/measure"),
    message:
        "Words replaced exactly, {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/exact_attribution/measure.py"


rule summarise_exact_attribution:
    input:
        events="<results>/{model}/{dataset}/exact_attribution/events.parquet",
        words="<results>/{model}/{dataset}/exact_attribution/words.parquet",
        cells="<results>/{model}/{dataset}/exact_attribution/cells.parquet",
        tokens="<results>/{model}/{dataset}/attribution/tokens.parquet",
        truth="<results>/{model}/{dataset}/truth.parquet",
    output:
        steps="<results>/{model}/{dataset}/exact_attribution/steps.parquet",
        recall="<results>/{model}/{dataset}/exact_attribution/recall.parquet",
        sizes="<results>/{model}/{dataset}/exact_attribution/sizes.parquet",
        causes="<results>/{model}/{dataset}/exact_attribution/causes.parquet",
    log:
        "<results>/{model}/{dataset}/logs/exact_attribution/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/exact_attribution/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=exact_attribution_settings.summarise(config),
        code=code_digest("exact_attribution/summarise"),
    message:
        "Exact attribution of {wildcards.model} on {wildcards.dataset} in numbers"
    script:
        "../workflow/scripts/exact_attribution/summarise.py"


rule plot_exact_attribution:
    input:
        cells="<results>/{model}/{dataset}/exact_attribution/cells.parquet",
        steps=rules.summarise_exact_attribution.output.steps,
        recall=rules.summarise_exact_attribution.output.recall,
        causes=rules.summarise_exact_attribution.output.causes,
    output:
        **figures_of("exact_attribution"),
    log:
        "<results>/{model}/{dataset}/logs/exact_attribution/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/exact_attribution/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("exact_attribution"),
        code=code_digest("exact_attribution/plot"),
    message:
        "Figures of exact attribution, {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/exact_attribution/plot.py"
