"""Length: are long thoughts right?"""


rule measure_length:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
    output:
        table="<results>/{model}/{dataset}/length.parquet",
    log:
        "<results>/{model}/{dataset}/logs/length/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/length/measure.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        parts=config["length"]["parts"],
        code=code_digest("length/measure"),
    message:
        "Length of thoughts of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/length/measure.py"


rule plot_length:
    input:
        table=rules.measure_length.output.table,
    output:
        **figures_of("length"),
    log:
        "<results>/{model}/{dataset}/logs/length/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/length/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        captions=captions_of("length"),
        code=code_digest("length/plot"),
    message:
        "Figure of the length of thoughts of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/length/plot.py"
