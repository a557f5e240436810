"""Checks: how every sharded experiment checked itself, and what it cost."""


rule merge_checks:
    input:
        parts=shards_of(
            "results/{model}/{dataset}/{experiment}/shards/{shard}.{part}.parquet"
        ),
    output:
        table="results/{model}/{dataset}/{experiment}/{part}.parquet",
    log:
        "results/{model}/{dataset}/logs/merge_checks/{experiment}.{part}.log",
    wildcard_constraints:
        experiment="early_exit|probing|attribution|attention",
        part="verification|runs",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        table=lambda wildcards: wildcards.part,
        sort=[],
        code=code_digest(
            "shards/merge", "doubletake.tables.verification", "doubletake.tables.runs"
        ),
    message:
        "{wildcards.experiment} of {wildcards.model} on {wildcards.dataset}: {wildcards.part}"
    script:
        "../workflow/scripts/shards/merge.py"
