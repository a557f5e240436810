"""Online exit: do the rules stop a running thought where the replay says, and how fast?"""

from online_exit import settings as online_exit_settings


rule measure_online_exit:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        points="<results>/{model}/{dataset}/trial_points.parquet",
        scores="<results>/{model}/{dataset}/exit_probes/scores.parquet",
        probes="<results>/{model}/{dataset}/exit_probes/probes.safetensors",
        lynx="<results>/{model}/{dataset}/exit_policies/lynx.parquet",
        model=model_files,
    output:
        online="<results>/{model}/{dataset}/online_exit.parquet",
        rules="<results>/{model}/{dataset}/online_exit/rules.parquet",
        latency="<results>/{model}/{dataset}/online_exit/latency.parquet",
        latency_rules="<results>/{model}/{dataset}/online_exit/latency_rules.parquet",
        runs="<results>/{model}/{dataset}/online_exit/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/online_exit/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/online_exit/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(480),
    params:
        model=model_settings,
        settings=lambda wildcards: online_exit_settings.measure(
            config, wildcards.model, wildcards.dataset
        ),
        code=code_digest("online_exit/measure"),
    message:
        "Exit rules decode thoughts of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/online_exit/measure.py"


rule plot_online_exit:
    input:
        latency_rules=rules.measure_online_exit.output.latency_rules,
    output:
        **figures_of("online_exit"),
    log:
        "<results>/{model}/{dataset}/logs/online_exit/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/online_exit/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        captions=captions_of("online_exit"),
        code=code_digest("online_exit/plot"),
    message:
        "Figure of online exit of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/online_exit/plot.py"
