"""Exit policies: which rules stop a thought early, at which cost and risk?"""

from exit_policies import settings as exit_policies_settings


rule summarise_exit_policies:
    input:
        points="<results>/{model}/{dataset}/trial_points.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        scores="<results>/{model}/{dataset}/exit_probes/scores.parquet",
        quality="<results>/{model}/{dataset}/exit_probes/quality.parquet",
    output:
        stops="<results>/{model}/{dataset}/exit_policies/stops.parquet",
        policies="<results>/{model}/{dataset}/exit_policies/policies.parquet",
        curves="<results>/{model}/{dataset}/exit_policies/curves.parquet",
        lynx="<results>/{model}/{dataset}/exit_policies/lynx.parquet",
    log:
        "<results>/{model}/{dataset}/logs/exit_policies/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/exit_policies/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=lambda wildcards: exit_policies_settings.summarise(
            config, wildcards.model
        ),
        code=code_digest("exit_policies/summarise"),
    message:
        "Exit policies of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/exit_policies/summarise.py"


rule plot_exit_policies:
    input:
        policies=rules.summarise_exit_policies.output.policies,
        curves=rules.summarise_exit_policies.output.curves,
        stops=rules.summarise_exit_policies.output.stops,
        points="<results>/{model}/{dataset}/trial_points.parquet",
        actions="<results>/{model}/{dataset}/decoding_actions/summary.parquet",
    output:
        **figures_of("exit_policies"),
    log:
        "<results>/{model}/{dataset}/logs/exit_policies/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/exit_policies/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        settings=exit_policies_settings.plot(config),
        captions=captions_of("exit_policies"),
        code=code_digest("exit_policies/plot"),
    message:
        "Exit-policy figures of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/exit_policies/plot.py"
