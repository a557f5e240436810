"""Traces: thoughts that the model generates, or finished ones from a file."""


rule generate_traces:
    input:
        problems=STUDY + "/problems.parquet",
        model=model_files,
    output:
        traces=STUDY + "/traces/{shard}.parquet",
        runs=STUDY + "/traces/{shard}.runs.parquet",
    log:
        STUDY + "/logs/generate_traces/{shard}.log",
    benchmark:
        STUDY + "/benchmarks/generate_traces/{shard}.tsv"
    wildcard_constraints:
        dataset=datasets_with(thoughts=False),
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=lambda wildcards, attempt: 24000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        model=model_settings,
        settings=config["generation"],
        code=code_digest("generate_traces"),
    message:
        "Thoughts of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/generate_traces.py"


rule merge_traces:
    input:
        parts=shards_of(STUDY + "/traces/{shard}.parquet"),
    output:
        table=STUDY + "/traces.parquet",
    log:
        STUDY + "/logs/merge_traces.log",
    wildcard_constraints:
        dataset=datasets_with(thoughts=False),
    conda:
        ENVIRONMENT
    params:
        table="traces",
        sort=["problem", "sample"],
        code=code_digest("merge_tables"),
    message:
        "All thoughts of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/merge_tables.py"


rule import_traces:
    input:
        source=dataset_file,
        problems=STUDY + "/problems.parquet",
        tokenizer=tokenizer_files,
    output:
        traces=STUDY + "/traces.parquet",
        runs=STUDY + "/traces/1-of-1.runs.parquet",
    log:
        STUDY + "/logs/import_traces.log",
    benchmark:
        STUDY + "/benchmarks/import_traces.tsv"
    wildcard_constraints:
        dataset=datasets_with(thoughts=True),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        model=model_settings,
        limit=lambda wildcards: dataset_settings(wildcards)["limit"],
        code=code_digest("import_traces"),
    message:
        "Thoughts of {wildcards.dataset}, in tokens of {wildcards.model}"
    script:
        "../workflow/scripts/import_traces.py"
