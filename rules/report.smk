"""Report: one page on all studies of the config."""

from doubletake.experiments import EXPERIMENTS, STAGES, TABLES

REPORT_TEMPLATES = SOURCES.local("workflow/report")


def report_study(model, dataset):
    """What the page reads of a study, and what the study was made with."""
    folder = STUDY.format(model=model, dataset=dataset)
    data = studies.dataset_settings(config, dataset, SOURCES)
    names = ["1-of-1"] if data["thoughts"] else studies.shard_names(config["shards"])
    exits = config["early_exit"] | studies.early_exit_settings(config, model)
    sections = ["shards", "events", "activations", "report"]
    sections += [] if data["thoughts"] else ["generation"]
    return {
        "model": model,
        "dataset": dataset,
        "tables": {name: f"{folder}/{name}.parquet" for name in TABLES},
        "runs": [f"{folder}/traces/{name}.runs.parquet" for name in names]
        + [f"{folder}/{stage}/runs.parquet" for stage in STAGES],
        "verification": [f"{folder}/{stage}/verification.parquet" for stage in STAGES],
        "figures": {
            section.name: {
                figure.name: f"{folder}/{section.name}/{figure.name}.svg"
                for figure in section.figures
            }
            for section in EXPERIMENTS
        },
        "benchmarks": f"{folder}/benchmarks",
        "settings": {
            # Sources as the config names them: a page tells no paths of a machine.
            "model": studies.model_settings(config, model, SOURCES)
            | {"source": config["models"][model]["source"]},
            "dataset": data | {"source": config["datasets"][dataset]["source"]},
            **{name: config[name] for name in sections},
            "early_exit": exits,
        },
    }


def report_files(kind):
    """Files of one kind of all studies on the page."""
    files = []
    for study in REPORT_STUDIES:
        listed = study[kind]
        files += listed.values() if isinstance(listed, dict) else listed
    return files


def report_figures():
    """Figures of all studies on the page."""
    return [path for figures in report_files("figures") for path in figures.values()]


REPORT_STUDIES = [report_study(**study) for study in config["studies"]]


rule write_report:
    input:
        tables=report_files("tables"),
        runs=report_files("runs"),
        verification=report_files("verification"),
        figures=report_figures(),
        template=REPORT_TEMPLATES / "page.html.jinja",
        parts=sorted(REPORT_TEMPLATES.glob("*.html.jinja")),
        style=REPORT_TEMPLATES / "page.css",
    output:
        page=report(
            "results/report.html",
            caption="../workflow/report/report.rst",
            category="Report",
            labels={"page": "all studies"},
        ),
    log:
        "results/logs/write_report.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        studies=REPORT_STUDIES,
        settings=config["report"],
        code=code_digest("write_report"),
    message:
        "The report"
    script:
        "../workflow/scripts/write_report.py"
