"""Attribution: which words make the model turn back?"""

from attribution import settings as attribution_settings

ATTRIBUTION_PUBLISHED = SOURCES.own("resources/reference/attribution_published.json")


rule measure_attribution:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        cache=shards_of("<results>/{model}/{dataset}/activations/{shard}.safetensors"),
        model=model_files,
    output:
        scores="<results>/{model}/{dataset}/attribution/shards/{shard}.attribution.parquet",
        tokens="<results>/{model}/{dataset}/attribution/shards/{shard}.tokens.parquet",
        prompts="<results>/{model}/{dataset}/attribution/shards/{shard}.prompts.parquet",
        cells="<results>/{model}/{dataset}/attribution/shards/{shard}.cells.parquet",
        verification="<results>/{model}/{dataset}/attribution/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/attribution/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/attribution/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/attribution/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=attribution_settings.measure(config),
        code=code_digest("attribution/measure"),
    message:
        "Attribution of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/attribution/measure.py"


rule summarise_attribution:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
        scores="<results>/{model}/{dataset}/attribution.parquet",
        tokens="<results>/{model}/{dataset}/attribution/tokens.parquet",
        prompts="<results>/{model}/{dataset}/attribution/prompts.parquet",
        cells="<results>/{model}/{dataset}/attribution/cells.parquet",
        stop_words=studies.named_file(config, "attribution.stop_words", SOURCES),
        published=ATTRIBUTION_PUBLISHED,
    output:
        checks="<results>/{model}/{dataset}/attribution/checks.parquet",
        layers="<results>/{model}/{dataset}/attribution/layers.parquet",
        words="<results>/{model}/{dataset}/attribution/words.parquet",
        context_parts="<results>/{model}/{dataset}/attribution/context_parts.parquet",
        overlap="<results>/{model}/{dataset}/attribution/overlap.parquet",
        slips="<results>/{model}/{dataset}/attribution/slips.parquet",
        slip_ranks="<results>/{model}/{dataset}/attribution/slip_ranks.parquet",
    log:
        "<results>/{model}/{dataset}/logs/attribution/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/attribution/summarise.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        model=lambda wildcards: config["models"][wildcards.model]["source"],
        dataset=lambda wildcards: config["datasets"][wildcards.dataset]["source"],
        settings=attribution_settings.summarise(config),
        code=code_digest("attribution/summarise"),
    message:
        "Attribution of {wildcards.model} on {wildcards.dataset} in numbers"
    script:
        "../workflow/scripts/attribution/summarise.py"


rule plot_attribution:
    input:
        checks=rules.summarise_attribution.output.checks,
        cells="<results>/{model}/{dataset}/attribution/cells.parquet",
        layers=rules.summarise_attribution.output.layers,
        context_parts=rules.summarise_attribution.output.context_parts,
    output:
        **figures_of("attribution"),
    log:
        "<results>/{model}/{dataset}/logs/attribution/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/attribution/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings=attribution_settings.plot(config),
        captions=captions_of("attribution"),
        code=code_digest("attribution/plot"),
    message:
        "Attribution figures of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/attribution/plot.py"
