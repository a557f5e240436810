"""Reproduction: do published numbers hold, by the published recipe and by ours?"""

from reproduction import settings as reproduction_settings

REPRODUCTION = reproduction_settings.summarise(
    config, [files_of(SimpleNamespace(**study)) for study in config["studies"]]
)


rule summarise_reproduction:
    input:
        published=SOURCES.own("resources/reference/published.yaml"),
        exits=EARLY_EXIT_PUBLISHED,
        attribution=ATTRIBUTION_PUBLISHED,
        tables=expand(
            "{study}/{file}",
            study=study_folders(),
            file=reproduction_settings.table_files(),
        ),
        other=reproduction_settings.other_files(REPRODUCTION),
    output:
        reproduction="<results>/reproduction/reproduction.parquet",
    log:
        "<results>/reproduction/logs/summarise.log",
    benchmark:
        "<results>/reproduction/benchmarks/summarise.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=REPRODUCTION,
        code=code_digest(
            "reproduction/summarise", *reproduction_settings.modules_of_tables()
        ),
    message:
        "Published numbers beside those of the studies"
    script:
        "../workflow/scripts/reproduction/summarise.py"
