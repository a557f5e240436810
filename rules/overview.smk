"""Overview: four questions in one figure each, all studies side by side."""

from overview import settings as overview_settings


rule plot_overview:
    input:
        tables=expand(
            "{study}/{table}.parquet",
            study=study_folders(),
            table=overview_settings.TABLES,
        ),
    output:
        holds="<results>/overview/holds.svg",
        stops="<results>/overview/stops.svg",
        turns="<results>/overview/turns.svg",
        helps="<results>/overview/helps.svg",
    log:
        "<results>/overview/logs/plot.log",
    benchmark:
        "<results>/overview/benchmarks/plot.tsv"
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        studies={
            f"{study['model']} on {study['dataset']}": folder
            for study, folder in zip(config["studies"], study_folders())
        },
        intervals=config["intervals"],
        code=code_digest("overview/plot", *registry.modules("declaration", "tables")),
    message:
        "Four questions to all studies, in one figure each"
    script:
        "../workflow/scripts/overview/plot.py"
