"""Exit transfer: does a threshold that one study has chosen also suit another study?"""

from exit_transfer import settings as exit_transfer_settings


rule summarise_exit_transfer:
    input:
        problems=expand("{study}/problems.parquet", study=study_folders()),
        traces=expand("{study}/traces.parquet", study=study_folders()),
        points=expand("{study}/trial_points.parquet", study=study_folders()),
    output:
        transfer="<results>/exit_transfer/transfer.parquet",
    log:
        "<results>/exit_transfer/logs/summarise.log",
    benchmark:
        "<results>/exit_transfer/benchmarks/summarise.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=exit_transfer_settings.summarise(config),
        code=code_digest("exit_transfer/summarise"),
    message:
        "Thresholds of every study, used on every study"
    script:
        "../workflow/scripts/exit_transfer/summarise.py"
