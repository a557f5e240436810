"""doubletake: where a reasoning model holds its answer, and why it thinks again."""

from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/workflow.rst"


include: "rules/config.smk"
include: "rules/common.smk"
include: "rules/problems.smk"
include: "rules/traces.smk"
include: "rules/events.smk"
include: "rules/detector.smk"
include: "rules/matches.smk"
include: "rules/activations.smk"
include: "rules/turns.smk"
include: "rules/truth.smk"
include: "rules/early_exit.smk"
include: "rules/repetition.smk"
include: "rules/trial_points.smk"
include: "rules/exit_probes.smk"
include: "rules/exit_policies.smk"
include: "rules/exit_guarantees.smk"
include: "rules/exit_transfer.smk"
include: "rules/repair.smk"
include: "rules/decoding_actions.smk"
include: "rules/online_exit.smk"
include: "rules/logit_lens.smk"
include: "rules/attribution.smk"
include: "rules/exact_attribution.smk"
include: "rules/probing.smk"
include: "rules/unmatched_probes.smk"
include: "rules/value_vectors.smk"
include: "rules/attention.smk"
include: "rules/look_back.smk"
include: "rules/twins.smk"
include: "rules/directions.smk"
include: "rules/wrong_samples.smk"
include: "rules/resampling.smk"
include: "rules/mistakes.smk"
include: "rules/reproduction.smk"
include: "rules/injection.smk"
include: "rules/ablation.smk"
include: "rules/faithfulness.smk"
include: "rules/steering.smk"
include: "rules/loop.smk"
include: "rules/merge.smk"
include: "rules/manifest.smk"
include: "rules/overview.smk"
include: "rules/comparisons.smk"
include: "rules/report.smk"
include: "rules/explorer.smk"
include: "rules/pocket.smk"
include: "rules/targets.smk"


rule all:
    default_target: True
    input:
        # What a stage leaves is listed in workflow/scripts/STAGE/declaration.py.
        [left_by(stage) for stage in registry.stages()],
        expand("{study}/manifest.json", study=study_folders()),
        rules.score_detector.output,
        rules.summarise_exit_transfer.output,
        rules.summarise_reproduction.output,
        "<results>/report.html",
        "<results>/explorer",
    message:
        "All results of all studies, the report and the explorer"
