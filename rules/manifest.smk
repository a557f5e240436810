"""Manifest: digests of a study's inputs and results, with settings and versions."""

MANIFEST_INPUTS = {
    path: SOURCES.own(path) for stage in registry.stages() for path in stage.references
} | {
    studies.value_of(config, key): studies.named_file(config, key, SOURCES)
    for stage in registry.stages()
    for key in stage.config_files
}


rule write_manifest:
    input:
        outputs=lambda wildcards: files_of(wildcards).outputs,
        model=model_files,
        card=lambda wildcards: card_files(model_settings(wildcards)),
        dataset=dataset_files,
        named=list(MANIFEST_INPUTS.values()),
    output:
        manifest="<results>/{model}/{dataset}/manifest.json",
    log:
        "<results>/{model}/{dataset}/logs/manifest/write.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        files=lambda wildcards: asdict(files_of(wildcards)),
        names=list(MANIFEST_INPUTS),
        dataset_names=lambda wildcards: list(
            studies.dataset_files(config, wildcards.dataset, SOURCES)
        ),
        code=code_digest("manifest/write", *registry.modules("declaration")),
    message:
        "Manifest of {wildcards.model} on {wildcards.dataset}"
    script:
        "../workflow/scripts/manifest/write.py"
