"""Comparisons: each experiment, all studies of the config in one figure."""

SEVERAL_STUDIES = len(config["studies"]) > 1


rule plot_comparisons:
    input:
        tables=expand(
            "{study}/{table}.parquet",
            study=study_folders(),
            table=registry.compared_tables(),
        ),
    output:
        figures=expand(
            "<results>/comparisons/{experiment}.svg",
            experiment=[one.name for one in registry.experiments()],
        ),
        numbers=expand(
            "<results>/comparisons/{experiment}.csv",
            experiment=[one.name for one in registry.experiments()],
        ),
    log:
        "<results>/comparisons/logs/plot.log",
    benchmark:
        "<results>/comparisons/benchmarks/plot.tsv"
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
        code=code_digest("comparisons/plot", *registry.modules("declaration", "tables")),
    message:
        "All studies in one figure for each experiment"
    script:
        "../workflow/scripts/comparisons/plot.py"
