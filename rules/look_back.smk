"""Look back: does the text after a turn look back at the words that caused it?"""

from look_back import settings as look_back_settings


rule measure_look_back:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        tokens="<results>/{model}/{dataset}/attribution/tokens.parquet",
        words="<results>/{model}/{dataset}/attribution/words.parquet",
        prompts="<results>/{model}/{dataset}/attribution/prompts.parquet",
        model=model_files,
    output:
        looks="<results>/{model}/{dataset}/look_back.parquet",
        words="<results>/{model}/{dataset}/look_back/words.parquet",
        layers="<results>/{model}/{dataset}/look_back/layers.parquet",
        verification="<results>/{model}/{dataset}/look_back/verification.parquet",
        runs="<results>/{model}/{dataset}/look_back/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/look_back/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/look_back/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(120),
    params:
        model=model_settings,
        settings=look_back_settings.measure(config),
        code=code_digest("look_back/measure"),
    message:
        "Looking back of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/look_back/measure.py"


rule summarise_look_back:
    input:
        looks=rules.measure_look_back.output.looks,
        words=rules.measure_look_back.output.words,
        layers=rules.measure_look_back.output.layers,
        ranked="<results>/{model}/{dataset}/attribution/words.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
        published=SOURCES.own("resources/reference/attribution_published.json"),
    output:
        summary="<results>/{model}/{dataset}/look_back/summary.parquet",
        heads="<results>/{model}/{dataset}/look_back/heads.parquet",
        overlap="<results>/{model}/{dataset}/look_back/overlap.parquet",
    log:
        "<results>/{model}/{dataset}/logs/look_back/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/look_back/summarise.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        model=lambda wildcards: config["models"][wildcards.model]["source"],
        dataset=lambda wildcards: config["datasets"][wildcards.dataset]["source"],
        settings=look_back_settings.summarise(config),
        code=code_digest("look_back/summarise"),
    message:
        "Looking back of {wildcards.model} on {wildcards.dataset} in numbers"
    script:
        "../workflow/scripts/look_back/summarise.py"


rule plot_look_back:
    input:
        summary=rules.summarise_look_back.output.summary,
        overlap=rules.summarise_look_back.output.overlap,
    output:
        **figures_of("look_back"),
    log:
        "<results>/{model}/{dataset}/logs/look_back/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/look_back/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("look_back"),
        code=code_digest("look_back/plot"),
    message:
        "Figures of looking back of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/look_back/plot.py"
