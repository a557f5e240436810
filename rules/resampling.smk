"""Resampling: would the thought turn back again if it were written again from there?"""

from resampling import settings as resampling_settings


rule measure_resampling:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        truth="<results>/{model}/{dataset}/truth.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
        probing="<results>/{model}/{dataset}/probing.parquet",
        scores="<results>/{model}/{dataset}/probing/scores.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        caches=shards_of("<results>/{model}/{dataset}/activations/{shard}.safetensors"),
        model=model_files,
    output:
        resampling="<results>/{model}/{dataset}/resampling/shards/{shard}.resampling.parquet",
        draws="<results>/{model}/{dataset}/resampling/shards/{shard}.draws.parquet",
        rollouts="<results>/{model}/{dataset}/resampling/shards/{shard}.rollouts.parquet",
        verification="<results>/{model}/{dataset}/resampling/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/resampling/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/resampling/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/resampling/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(720),
    params:
        model=model_settings,
        settings=resampling_settings.measure(config),
        code=code_digest("resampling/measure"),
    message:
        "Thoughts written again, {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/resampling/measure.py"


rule summarise_resampling:
    input:
        resampling="<results>/{model}/{dataset}/resampling.parquet",
        rollouts="<results>/{model}/{dataset}/resampling/rollouts.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        truth="<results>/{model}/{dataset}/truth.parquet",
        points="<results>/{model}/{dataset}/trial_points.parquet",
    output:
        sentences="<results>/{model}/{dataset}/resampling/sentences.parquet",
        summary="<results>/{model}/{dataset}/resampling/summary.parquet",
        stability="<results>/{model}/{dataset}/resampling/stability.parquet",
        prediction="<results>/{model}/{dataset}/resampling/prediction.parquet",
        importance="<results>/{model}/{dataset}/resampling/importance.parquet",
    log:
        "<results>/{model}/{dataset}/logs/resampling/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/resampling/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        settings=resampling_settings.summarise(config),
        intervals=config["intervals"],
        code=code_digest("resampling/summarise"),
    message:
        "Stability, prediction and importance of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/resampling/summarise.py"


rule plot_resampling:
    input:
        resampling="<results>/{model}/{dataset}/resampling.parquet",
        sentences=rules.summarise_resampling.output.sentences,
        stability=rules.summarise_resampling.output.stability,
        prediction=rules.summarise_resampling.output.prediction,
        importance=rules.summarise_resampling.output.importance,
    output:
        **figures_of("resampling"),
    log:
        "<results>/{model}/{dataset}/logs/resampling/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/resampling/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        stable_share=config["resampling"]["stable_share"],
        confidence=config["intervals"]["confidence"],
        captions=captions_of("resampling"),
        code=code_digest("resampling/plot"),
    message:
        "Figures of resampling of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/resampling/plot.py"
