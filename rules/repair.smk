"""Repair: is thinking on after an arrival worth its tokens?"""


rule summarise_repair:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        points="<results>/{model}/{dataset}/trial_points.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        truth="<results>/{model}/{dataset}/truth.parquet",
    output:
        arrivals="<results>/{model}/{dataset}/repair/arrivals.parquet",
        rates="<results>/{model}/{dataset}/repair/rates.parquet",
        gains="<results>/{model}/{dataset}/repair/gains.parquet",
        shifts="<results>/{model}/{dataset}/repair/shifts.parquet",
        lost="<results>/{model}/{dataset}/repair/lost.parquet",
        causes="<results>/{model}/{dataset}/repair/causes.parquet",
    log:
        "<results>/{model}/{dataset}/logs/repair/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/repair/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        intervals=config["intervals"],
        code=code_digest("repair/summarise"),
    message:
        "Repair and damage in thoughts of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/repair/summarise.py"


rule plot_repair:
    input:
        rates=rules.summarise_repair.output.rates,
        gains=rules.summarise_repair.output.gains,
        causes=rules.summarise_repair.output.causes,
    output:
        **figures_of("repair"),
    log:
        "<results>/{model}/{dataset}/logs/repair/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/repair/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("repair"),
        code=code_digest("repair/plot"),
    message:
        "Figures of repair of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/repair/plot.py"
