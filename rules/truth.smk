"""Truth: the boundaries of thoughts in a planted language, with their causes."""


rule read_truth:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        card=lambda wildcards: card_files(model_settings(wildcards)),
    output:
        truth="<results>/{model}/{dataset}/truth.parquet",
        verification="<results>/{model}/{dataset}/truth/verification.parquet",
    log:
        "<results>/{model}/{dataset}/logs/truth/read.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/truth/read.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_digest("truth/read"),
    message:
        "Planted causes in thoughts of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/truth/read.py"
