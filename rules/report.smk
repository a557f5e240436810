"""Report: one page on all studies of the config."""

REPORT_TEMPLATES = SOURCES.own("workflow/report")
REPORT_STUDIES = [study_files(config, SOURCES, study) for study in config["studies"]]


rule write_report:
    input:
        **rules.plot_overview.output,
        comparisons=rules.plot_comparisons.output if SEVERAL_STUDIES else [],
        results=[path for study in REPORT_STUDIES for path in study.outputs],
        manifests=[study.manifest for study in REPORT_STUDIES],
        scores="<results>/detector/scores.parquet",
        transfer="<results>/exit_transfer/transfer.parquet",
        reproduction="<results>/reproduction/reproduction.parquet",
        template=REPORT_TEMPLATES / "page.html.jinja",
        parts=sorted(REPORT_TEMPLATES.glob("*.html.jinja")),
        style=REPORT_TEMPLATES / "page.css",
    output:
        page=report(
            "<results>/report.html",
            caption="../workflow/report/report.rst",
            category="Report",
            labels={"page": "all studies"},
        ),
        numbers=directory("<results>/numbers"),
    log:
        "<results>/logs/report/write.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        studies=[asdict(study) for study in REPORT_STUDIES],
        settings=config["report"],
        code=code_digest(
            "report/write", *registry.modules("declaration", "tables", "page")
        ),
    message:
        "The report"
    script:
        "../workflow/scripts/report/write.py"
