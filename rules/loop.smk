"""Loop: do the methods agree on the same events?"""

from loop import settings as loop_settings


rule measure_loop:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        directions="<results>/{model}/{dataset}/directions/vectors.safetensors",
        parts="<results>/{model}/{dataset}/directions/problems.parquet",
        versions="<results>/{model}/{dataset}/ablation/versions.parquet",
        sets="<results>/{model}/{dataset}/ablation/sets.parquet",
        value_vectors="<results>/{model}/{dataset}/value_vectors.parquet",
        model=model_files,
    output:
        effects="<results>/{model}/{dataset}/loop/shards/{shard}.effects.parquet",
        verification="<results>/{model}/{dataset}/loop/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/loop/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/loop/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/loop/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=loop_settings.measure(config),
        code=code_digest("loop/measure"),
    message:
        "Interventions at the backtracks of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/loop/measure.py"


rule summarise_loop:
    input:
        effects="<results>/{model}/{dataset}/loop/effects.parquet",
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        truth="<results>/{model}/{dataset}/truth.parquet",
        twins="<results>/{model}/{dataset}/twins.parquet",
        early_exit="<results>/{model}/{dataset}/early_exit.parquet",
        logit_lens="<results>/{model}/{dataset}/logit_lens.parquet",
        probing="<results>/{model}/{dataset}/probing.parquet",
        probing_scores="<results>/{model}/{dataset}/probing/scores.parquet",
        attention="<results>/{model}/{dataset}/attention.parquet",
        attention_heads="<results>/{model}/{dataset}/attention/heads.parquet",
        tokens="<results>/{model}/{dataset}/attribution/tokens.parquet",
        words="<results>/{model}/{dataset}/attribution/words.parquet",
        prompts="<results>/{model}/{dataset}/attribution/prompts.parquet",
        exact_words="<results>/{model}/{dataset}/exact_attribution/words.parquet",
        resampling="<results>/{model}/{dataset}/resampling.parquet",
        look_back="<results>/{model}/{dataset}/look_back.parquet",
        stop_words=studies.named_file(config, "attribution.stop_words", SOURCES),
    output:
        loop="<results>/{model}/{dataset}/loop.parquet",
        correlations="<results>/{model}/{dataset}/loop/correlations.parquet",
        planted="<results>/{model}/{dataset}/loop/planted.parquet",
        causes="<results>/{model}/{dataset}/loop/causes.parquet",
        means="<results>/{model}/{dataset}/loop/means.parquet",
    log:
        "<results>/{model}/{dataset}/logs/loop/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/loop/summarise.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=loop_settings.summarise(config),
        intervals=config["intervals"],
        code=code_digest("loop/summarise"),
    message:
        "All methods on the same backtracks of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/loop/summarise.py"


rule plot_loop:
    input:
        correlations=rules.summarise_loop.output.correlations,
        planted=rules.summarise_loop.output.planted,
        causes=rules.summarise_loop.output.causes,
    output:
        **figures_of("loop"),
    log:
        "<results>/{model}/{dataset}/logs/loop/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/loop/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("loop"),
        code=code_digest("loop/plot"),
    message:
        "Figures of the loop of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/loop/plot.py"
