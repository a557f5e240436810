"""Traces: thoughts that the model generates, or finished ones from a file."""


rule generate_traces:
    input:
        problems="results/{model}/{dataset}/problems.parquet",
        model=model_files,
    output:
        traces="results/{model}/{dataset}/traces/{shard}.parquet",
        runs="results/{model}/{dataset}/traces/{shard}.runs.parquet",
    log:
        "results/{model}/{dataset}/logs/generate_traces/{shard}.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/generate_traces/{shard}.tsv"
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


rule merge_traces:
    input:
        parts=shards_of("results/{model}/{dataset}/traces/{shard}.parquet"),
    output:
        table="results/{model}/{dataset}/traces.parquet",
    log:
        "results/{model}/{dataset}/logs/merge_traces.log",
    wildcard_constraints:
        dataset=datasets_with(thoughts=False),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        table="traces",
        sort=["problem", "sample"],
        code=code_digest("shards/merge", "traces.tables"),
    message:
        "All thoughts of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/shards/merge.py"


rule import_traces:
    input:
        source=dataset_file,
        problems="results/{model}/{dataset}/problems.parquet",
        tokenizer=tokenizer_files,
    output:
        traces="results/{model}/{dataset}/traces.parquet",
        runs="results/{model}/{dataset}/traces/1-of-1.runs.parquet",
    log:
        "results/{model}/{dataset}/logs/import_traces.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/import_traces.tsv"
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
        limit=lambda wildcards: dataset_settings(wildcards)["limit"],
        code=code_digest("traces/retrieve"),
    message:
        "Thoughts of {wildcards.dataset}, in tokens of {wildcards.model}"
    script:
        "../workflow/scripts/traces/retrieve.py"
