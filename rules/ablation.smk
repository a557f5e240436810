"""Ablation: what does the model need in order to turn back?"""

from ablation import settings as ablation_settings


rule measure_ablation:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        attention="<results>/{model}/{dataset}/attention.parquet",
        directions="<results>/{model}/{dataset}/directions/vectors.safetensors",
        parts="<results>/{model}/{dataset}/directions/problems.parquet",
        model=model_files,
    output:
        boundaries="<results>/{model}/{dataset}/ablation.parquet",
        versions="<results>/{model}/{dataset}/ablation/versions.parquet",
        sets="<results>/{model}/{dataset}/ablation/sets.parquet",
        decoded="<results>/{model}/{dataset}/ablation/decoded.parquet",
        verification="<results>/{model}/{dataset}/ablation/verification.parquet",
        runs="<results>/{model}/{dataset}/ablation/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/ablation/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/ablation/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(720),
    params:
        model=model_settings,
        settings=ablation_settings.measure(config),
        code=code_digest("ablation/measure"),
    message:
        "Ablation of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/ablation/measure.py"


rule summarise_ablation:
    input:
        boundaries=rules.measure_ablation.output.boundaries,
        versions=rules.measure_ablation.output.versions,
        sets=rules.measure_ablation.output.sets,
        decoded=rules.measure_ablation.output.decoded,
    output:
        effects="<results>/{model}/{dataset}/ablation/effects.parquet",
        rates="<results>/{model}/{dataset}/ablation/rates.parquet",
    log:
        "<results>/{model}/{dataset}/logs/ablation/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/ablation/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        intervals=config["intervals"],
        code=code_digest("ablation/summarise"),
    message:
        "Effects of the ablations of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/ablation/summarise.py"


rule plot_ablation:
    input:
        effects=rules.summarise_ablation.output.effects,
        rates=rules.summarise_ablation.output.rates,
        sets=rules.measure_ablation.output.sets,
    output:
        **figures_of("ablation"),
    log:
        "<results>/{model}/{dataset}/logs/ablation/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/ablation/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("ablation"),
        code=code_digest("ablation/plot"),
    message:
        "Figures of the ablations of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/ablation/plot.py"
