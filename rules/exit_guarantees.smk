"""Exit guarantees: which threshold keeps the loss below a stated risk?"""

from exit_guarantees import settings as exit_guarantees_settings


rule summarise_exit_guarantees:
    input:
        points="<results>/{model}/{dataset}/trial_points.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        scores="<results>/{model}/{dataset}/exit_probes/scores.parquet",
    output:
        chosen="<results>/{model}/{dataset}/exit_guarantees/chosen.parquet",
        risks="<results>/{model}/{dataset}/exit_guarantees/risks.parquet",
        conformal="<results>/{model}/{dataset}/exit_guarantees/conformal.parquet",
    log:
        "<results>/{model}/{dataset}/logs/exit_guarantees/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/exit_guarantees/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=lambda wildcards: exit_guarantees_settings.summarise(
            config, wildcards.model
        ),
        code=code_digest("exit_guarantees/summarise"),
    message:
        "Exit guarantees of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/exit_guarantees/summarise.py"


rule plot_exit_guarantees:
    input:
        chosen=rules.summarise_exit_guarantees.output.chosen,
        risks=rules.summarise_exit_guarantees.output.risks,
    output:
        **figures_of("exit_guarantees"),
    log:
        "<results>/{model}/{dataset}/logs/exit_guarantees/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/exit_guarantees/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        confidence=config["intervals"]["confidence"],
        captions=captions_of("exit_guarantees"),
        code=code_digest("exit_guarantees/plot"),
    message:
        "Figures of exit guarantees of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/exit_guarantees/plot.py"
