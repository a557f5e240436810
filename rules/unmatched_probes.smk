"""Unmatched probes: how well would probes tell turns from wrap-ups without matching?"""

from unmatched_probes import settings as unmatched_probes_settings


rule measure_unmatched_probes:
    input:
        events="<results>/{model}/{dataset}/events.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        caches=shards_of("<results>/{model}/{dataset}/activations/{shard}.safetensors"),
    output:
        probes="<results>/{model}/{dataset}/unmatched_probes.parquet",
    log:
        "<results>/{model}/{dataset}/logs/unmatched_probes/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/unmatched_probes/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
    params:
        model=model_settings,
        settings=unmatched_probes_settings.measure(config),
        code=code_digest("unmatched_probes/measure"),
    message:
        "Unmatched probes of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/unmatched_probes/measure.py"
