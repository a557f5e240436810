"""Matches: which positions stand alike, so that a comparison shows the turn alone?"""


rule measure_matches:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
    output:
        matches="<results>/{model}/{dataset}/matches.parquet",
        dropped="<results>/{model}/{dataset}/matches/dropped.parquet",
        balance="<results>/{model}/{dataset}/matches/balance.parquet",
    log:
        "<results>/{model}/{dataset}/logs/matches/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/matches/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        calipers=config["matches"],
        code=code_digest("matches/measure"),
    message:
        "Matched pairs of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/matches/measure.py"


rule plot_matches:
    input:
        balance=rules.measure_matches.output.balance,
    output:
        **figures_of("matches"),
    log:
        "<results>/{model}/{dataset}/logs/matches/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/matches/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        captions=captions_of("matches"),
        code=code_digest("matches/plot"),
    message:
        "Balance of the matched pairs of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/matches/plot.py"
