"""Truth: the boundaries of thoughts in a planted language, with their causes."""


def model_card(wildcards):
    """The card of a local model; an empty list if there is none."""
    settings = model_settings(wildcards)
    path = Path(settings["source"]) / "README.md"
    return path if settings["revision"] is None and path.is_file() else []


rule read_truth:
    input:
        problems="results/{model}/{dataset}/problems.parquet",
        traces="results/{model}/{dataset}/traces.parquet",
        card=model_card,
    output:
        truth="results/{model}/{dataset}/truth.parquet",
        verification="results/{model}/{dataset}/truth/verification.parquet",
    log:
        "results/{model}/{dataset}/logs/truth/read.log",
    benchmark:
        "results/{model}/{dataset}/benchmarks/truth/read.tsv"
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
