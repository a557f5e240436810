"""Traces: thoughts that the model generates, or finished ones from files or the hub."""

# Two rules make traces. The constraint on the wildcard `dataset` chooses one of them:
# `retrieve_traces` if the dataset has `thoughts: true`, else `generate_traces`.


rule generate_traces:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        model=model_files,
    output:
        traces="<results>/{model}/{dataset}/traces/shards/{shard}.traces.parquet",
        runs="<results>/{model}/{dataset}/traces/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/traces/generate/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/traces/generate/{shard}.tsv"
    wildcard_constraints:
        dataset=datasets_with(thoughts=False),
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(720),
    params:
        model=model_settings,
        settings=config["generation"],
        code=code_digest("traces/generate"),
    message:
        "Thoughts of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/traces/generate.py"


rule retrieve_traces:
    input:
        source=dataset_files,
        problems="<results>/{model}/{dataset}/problems.parquet",
        tokenizer=tokenizer_files,
    output:
        traces="<results>/{model}/{dataset}/traces.parquet",
        runs="<results>/{model}/{dataset}/traces/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/traces/retrieve.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/traces/retrieve.tsv"
    wildcard_constraints:
        dataset=datasets_with(thoughts=True),
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        model=model_settings,
        settings=dataset_settings,
        code=code_digest("traces/retrieve"),
    message:
        "Thoughts of {wildcards.dataset}, in tokens of {wildcards.model}"
    script:
        "../workflow/scripts/traces/retrieve.py"
