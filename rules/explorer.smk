"""Explorer: every thought of all studies, to look at in a browser."""

from explorer.parts import asked_tables

EXPLORER_TABLES = {
    folder: asked_tables(folder, **config["explorer"]) for folder in study_folders()
}
EXPLORER_PAGE = SOURCES.own("workflow/explorer")


rule write_explorer:
    input:
        tables=[
            f"{folder}/{name}.parquet"
            for folder, names in EXPLORER_TABLES.items()
            for name in names
        ],
        tokenizers=[
            path
            for study in config["studies"]
            for path in tokenizer_files(SimpleNamespace(**study))
        ],
        page=sorted(path for path in EXPLORER_PAGE.rglob("*") if path.is_file()),
    output:
        folder=directory("<results>/explorer"),
    log:
        "<results>/logs/explorer/write.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        studies=[
            {
                "name": f"{study['model']}/{study['dataset']}",
                "folder": folder,
                "tables": EXPLORER_TABLES[folder],
            }
            for study, folder in zip(config["studies"], study_folders())
        ],
        models=[model_settings(SimpleNamespace(**study)) for study in config["studies"]],
        source=EXPLORER_PAGE,
        settings=config["explorer"],
        metric=config["attribution"]["metric"],
        code=code_digest("explorer/write", *registry.modules("declaration", "tables")),
    message:
        "The explorer"
    script:
        "../workflow/scripts/explorer/write.py"
