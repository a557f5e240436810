"""Manifest: what a study was made of, with what, and what it left."""


rule write_manifest:
    input:
        outputs=lambda wildcards: files_of(wildcards).outputs,
        model=model_files,
        dataset=dataset_file,
        stop_words=lambda wildcards: studies.stop_words_file(config, SOURCES),
        published=[EARLY_EXIT_PUBLISHED, ATTRIBUTION_PUBLISHED],
    output:
        manifest="results/{model}/{dataset}/manifest.json",
    log:
        "results/{model}/{dataset}/logs/write_manifest.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        files=lambda wildcards: asdict(files_of(wildcards)),
        code=code_digest("manifest/write", "doubletake.tables.runs"),
    message:
        "Manifest of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/manifest/write.py"
