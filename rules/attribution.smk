"""Attribution: which words make the model turn back?"""

ATTRIBUTION_PUBLISHED = SOURCES.local("resources/reference/attribution_published.json")


rule measure_attribution:
    input:
        problems="results/{model}/{dataset}/problems.parquet",
        traces="results/{model}/{dataset}/traces.parquet",
        events="results/{model}/{dataset}/events.parquet",
        turns="results/{model}/{dataset}/turns.parquet",
        words="results/{model}/{dataset}/turns/words.parquet",
        index="results/{model}/{dataset}/activations/index.parquet",
        cache=shards_of("results/{model}/{dataset}/activations/{shard}.safetensors"),
        model=model_files,
    output:
        scores="results/{model}/{dataset}/attribution/shards/{shard}.scores.parquet",
        tokens="results/{model}/{dataset}/attribution/shards/{shard}.tokens.parquet",
        prompts="results/{model}/{dataset}/attribution/shards/{shard}.prompts.parquet",
        cells="results/{model}/{dataset}/attribution/shards/{shard}.cells.parquet",
        verification="results/{model}/{dataset}/attribution/shards/{shard}.verification.parquet",
        runs="results/{model}/{dataset}/attribution/shards/{shard}.runs.parquet",
    log:
        "results/{model}/{dataset}/logs/attribution/{shard}.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/attribution/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=studies.attribution_settings(config),
        code=code_digest("attribution/measure"),
    message:
        "Attribution of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/attribution/measure.py"


rule merge_attribution:
    input:
        parts=shards_of(
            "results/{model}/{dataset}/attribution/shards/{shard}.scores.parquet"
        ),
    output:
        table="results/{model}/{dataset}/attribution.parquet",
    log:
        "results/{model}/{dataset}/logs/merge_attribution/scores.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        table="attribution",
        sort=["trace", "event"],
        code=code_digest("shards/merge", "attribution.tables"),
    message:
        "Attribution of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/shards/merge.py"


rule merge_attribution_parts:
    input:
        parts=shards_of(
            "results/{model}/{dataset}/attribution/shards/{shard}.{part}.parquet"
        ),
    output:
        table="results/{model}/{dataset}/attribution/{part}.parquet",
    log:
        "results/{model}/{dataset}/logs/merge_attribution/{part}.log",
    wildcard_constraints:
        part="tokens|prompts|cells",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        table=lambda wildcards: f"attribution/{wildcards.part}",
        sort=["trace"],
        code=code_digest("shards/merge", "attribution.tables"),
    message:
        "Attribution of {wildcards.model} on {wildcards.dataset}: {wildcards.part}"
    script:
        "../workflow/scripts/shards/merge.py"


rule summarise_attribution:
    input:
        traces="results/{model}/{dataset}/traces.parquet",
        scores=rules.merge_attribution.output.table,
        tokens="results/{model}/{dataset}/attribution/tokens.parquet",
        prompts="results/{model}/{dataset}/attribution/prompts.parquet",
        cells="results/{model}/{dataset}/attribution/cells.parquet",
        stop_words=lambda wildcards: studies.stop_words_file(config, SOURCES),
        published=ATTRIBUTION_PUBLISHED,
    output:
        checks="results/{model}/{dataset}/attribution/checks.parquet",
        layers="results/{model}/{dataset}/attribution/layers.parquet",
        words="results/{model}/{dataset}/attribution/words.parquet",
        places="results/{model}/{dataset}/attribution/places.parquet",
        overlap="results/{model}/{dataset}/attribution/overlap.parquet",
        slips="results/{model}/{dataset}/attribution/slips.parquet",
        slip_ranks="results/{model}/{dataset}/attribution/slip_ranks.parquet",
    log:
        "results/{model}/{dataset}/logs/summarise_attribution.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/summarise_attribution.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        model=lambda wildcards: config["models"][wildcards.model]["source"],
        dataset=lambda wildcards: config["datasets"][wildcards.dataset]["source"],
        settings=studies.attribution_summary_settings(config),
        code=code_digest("attribution/summarise"),
    message:
        "Attribution of {wildcards.model} on {wildcards.dataset} in numbers"
    script:
        "../workflow/scripts/attribution/summarise.py"


rule plot_attribution:
    input:
        checks=rules.summarise_attribution.output.checks,
        cells="results/{model}/{dataset}/attribution/cells.parquet",
        layers=rules.summarise_attribution.output.layers,
        places=rules.summarise_attribution.output.places,
    output:
        places=report(
            "results/{model}/{dataset}/attribution/places.svg",
            caption="../workflow/report/attribution_places.rst",
            category="Attribution",
            subcategory="{model} on {dataset}",
            labels={"figure": "importance by place"},
        ),
        agreement=report(
            "results/{model}/{dataset}/attribution/agreement.svg",
            caption="../workflow/report/attribution_agreement.rst",
            category="Attribution",
            subcategory="{model} on {dataset}",
            labels={"figure": "estimate against exact patching"},
        ),
        layers=report(
            "results/{model}/{dataset}/attribution/layers.svg",
            caption="../workflow/report/attribution_layers.rst",
            category="Attribution",
            subcategory="{model} on {dataset}",
            labels={"figure": "scores by layer"},
        ),
    log:
        "results/{model}/{dataset}/logs/plot_attribution.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/plot_attribution.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        settings={
            "method": config["attribution"]["method"],
            "metric": config["attribution"]["metric"],
            "confidence": config["intervals"]["confidence"],
        },
        code=code_digest("attribution/plot"),
    message:
        "Attribution figures of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/attribution/plot.py"
