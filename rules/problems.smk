"""Problems: questions and canonical gold numbers of a study's dataset."""


rule retrieve_problems:
    input:
        source=dataset_files,
    output:
        problems="<results>/{model}/{dataset}/problems.parquet",
    log:
        "<results>/{model}/{dataset}/logs/problems/retrieve.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/problems/retrieve.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        settings=dataset_settings,
        code=code_digest("problems/retrieve"),
    message:
        "Problems of {wildcards.dataset} (for {wildcards.model})"
    script:
        "../workflow/scripts/problems/retrieve.py"
