"""Turns: the positions at which the model decides to turn back, wrap up or go on."""


rule locate_turns:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        cache=shards_of("<results>/{model}/{dataset}/activations/{shard}.safetensors"),
        model=model_files,
    output:
        turns="<results>/{model}/{dataset}/turns.parquet",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        verification="<results>/{model}/{dataset}/turns/verification.parquet",
    log:
        "<results>/{model}/{dataset}/logs/turns/locate.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/turns/locate.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        model=model_settings,
        settings=config["turns"],
        code=code_digest("turns/locate"),
    message:
        "Turns of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/turns/locate.py"
