"""Trial points: what would the model answer at each place where a rule may stop it?"""

from trial_points import settings as trial_points_settings


rule measure_trial_points:
    input:
        problems="<results>/{model}/{dataset}/problems.parquet",
        traces="<results>/{model}/{dataset}/traces.parquet",
        model=model_files,
    output:
        points="<results>/{model}/{dataset}/trial_points/shards/{shard}.trial_points.parquet",
        states="<results>/{model}/{dataset}/trial_points/{shard}.safetensors",
        state_rows="<results>/{model}/{dataset}/trial_points/shards/{shard}.states.parquet",
        verification="<results>/{model}/{dataset}/trial_points/shards/{shard}.verification.parquet",
        runs="<results>/{model}/{dataset}/trial_points/shards/{shard}.runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/trial_points/measure/{shard}.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/trial_points/measure/{shard}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(480),
    params:
        model=model_settings,
        settings=lambda wildcards: trial_points_settings.measure(
            config, wildcards.model
        ),
        code=code_digest("trial_points/measure"),
    message:
        "Trial points of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    script:
        "../workflow/scripts/trial_points/measure.py"
