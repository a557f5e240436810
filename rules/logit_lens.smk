"""Logit lens: which words the residual stream and its parts favour at the turns."""


rule measure_logit_lens:
    input:
        events="<results>/{model}/{dataset}/events.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        cache=shards_of("<results>/{model}/{dataset}/activations/{shard}.safetensors"),
        model=model_files,
    output:
        lens="<results>/{model}/{dataset}/logit_lens.parquet",
        random_groups="<results>/{model}/{dataset}/logit_lens/random_groups.parquet",
        vocabulary="<results>/{model}/{dataset}/logit_lens/vocabulary.parquet",
        verification="<results>/{model}/{dataset}/logit_lens/verification.parquet",
        runs="<results>/{model}/{dataset}/logit_lens/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/logit_lens/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/logit_lens/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        model=model_settings,
        settings=settings_of("logit_lens", "batch_memory"),
        code=code_digest("logit_lens/measure"),
    message:
        "Logit lens of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/logit_lens/measure.py"


rule summarise_logit_lens:
    input:
        lens=rules.measure_logit_lens.output.lens,
        matches="<results>/{model}/{dataset}/matches.parquet",
        random_groups=rules.measure_logit_lens.output.random_groups,
        vocabulary=rules.measure_logit_lens.output.vocabulary,
        words="<results>/{model}/{dataset}/turns/words.parquet",
    output:
        summary="<results>/{model}/{dataset}/logit_lens/summary.parquet",
        parts="<results>/{model}/{dataset}/logit_lens/parts.parquet",
        leading="<results>/{model}/{dataset}/logit_lens/leading.parquet",
        top_words="<results>/{model}/{dataset}/logit_lens/words.parquet",
    log:
        "<results>/{model}/{dataset}/logs/logit_lens/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/logit_lens/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        intervals=config["intervals"],
        code=code_digest("logit_lens/summarise"),
    message:
        "Means of the logit lens of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/logit_lens/summarise.py"


rule plot_logit_lens:
    input:
        turns="<results>/{model}/{dataset}/turns.parquet",
        summary=rules.summarise_logit_lens.output.summary,
        leading=rules.summarise_logit_lens.output.leading,
    output:
        **figures_of("logit_lens"),
    log:
        "<results>/{model}/{dataset}/logs/logit_lens/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/logit_lens/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("logit_lens"),
        code=code_digest("logit_lens/plot"),
    message:
        "Logit-lens figures of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/logit_lens/plot.py"
