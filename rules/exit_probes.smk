"""Exit probes: does the state at a trial point tell that the trial answer is right?"""


rule train_exit_probes:
    input:
        points="<results>/{model}/{dataset}/trial_points.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        index="<results>/{model}/{dataset}/trial_points/states.parquet",
        states=shards_of("<results>/{model}/{dataset}/trial_points/{shard}.safetensors"),
    output:
        scores="<results>/{model}/{dataset}/exit_probes/scores.parquet",
        quality="<results>/{model}/{dataset}/exit_probes/quality.parquet",
        probes="<results>/{model}/{dataset}/exit_probes/probes.safetensors",
    log:
        "<results>/{model}/{dataset}/logs/exit_probes/train.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/exit_probes/train.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(16000),
        runtime=growing(120),
    params:
        model=model_settings,
        settings=settings_of("exit_probes", "intervals")
        | {"seed": config["exit_policies"]["seed"]},
        code=code_digest("exit_probes/train"),
    message:
        "Exit probes of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/exit_probes/train.py"
