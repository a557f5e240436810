"""Value vectors: MLP units that write along a probe's direction, and their effect."""


rule measure_value_vectors:
    input:
        traces="<results>/{model}/{dataset}/traces.parquet",
        events="<results>/{model}/{dataset}/events.parquet",
        matches="<results>/{model}/{dataset}/matches.parquet",
        turns="<results>/{model}/{dataset}/turns.parquet",
        words="<results>/{model}/{dataset}/turns/words.parquet",
        index="<results>/{model}/{dataset}/activations/index.parquet",
        caches=shards_of("<results>/{model}/{dataset}/activations/{shard}.safetensors"),
        probing="<results>/{model}/{dataset}/probing.parquet",
        directions="<results>/{model}/{dataset}/probing/directions.safetensors",
        model=model_files,
    output:
        vectors="<results>/{model}/{dataset}/value_vectors.parquet",
        alignment="<results>/{model}/{dataset}/value_vectors/alignment.parquet",
        units="<results>/{model}/{dataset}/value_vectors/units.parquet",
        sets="<results>/{model}/{dataset}/value_vectors/sets.parquet",
        interventions="<results>/{model}/{dataset}/value_vectors/interventions.parquet",
        verification="<results>/{model}/{dataset}/value_vectors/verification.parquet",
        runs="<results>/{model}/{dataset}/value_vectors/runs.parquet",
    log:
        "<results>/{model}/{dataset}/logs/value_vectors/measure.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/value_vectors/measure.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
        mem_mb=growing(24000),
        runtime=growing(120),
    params:
        model=model_settings,
        settings=config["value_vectors"] | {"verification": config["verification"]},
        batch_memory=config["batch_memory"],
        intervals=config["intervals"],
        code=code_digest("value_vectors/measure"),
    message:
        "Value vectors of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/value_vectors/measure.py"


rule summarise_value_vectors:
    input:
        sets=rules.measure_value_vectors.output.sets,
        interventions=rules.measure_value_vectors.output.interventions,
    output:
        effects="<results>/{model}/{dataset}/value_vectors/effects.parquet",
        set_effects="<results>/{model}/{dataset}/value_vectors/set_effects.parquet",
    log:
        "<results>/{model}/{dataset}/logs/value_vectors/summarise.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/value_vectors/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        contrast=config["value_vectors"]["contrast"],
        seed=config["value_vectors"]["seed"],
        intervals=config["intervals"],
        code=code_digest("value_vectors/summarise"),
    message:
        "Mean effects of the value vectors of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/value_vectors/summarise.py"


rule plot_value_vectors:
    input:
        vectors=rules.measure_value_vectors.output.vectors,
        alignment=rules.measure_value_vectors.output.alignment,
        units=rules.measure_value_vectors.output.units,
        effects=rules.summarise_value_vectors.output.effects,
        set_effects=rules.summarise_value_vectors.output.set_effects,
    output:
        **figures_of("value_vectors"),
    log:
        "<results>/{model}/{dataset}/logs/value_vectors/plot.log",
    benchmark:
        "<results>/{model}/{dataset}/benchmarks/value_vectors/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    params:
        contrast=config["value_vectors"]["contrast"],
        confidence=config["intervals"]["confidence"],
        captions=captions_of("value_vectors"),
        code=code_digest("value_vectors/plot"),
    message:
        "Figures of the value vectors of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/value_vectors/plot.py"
