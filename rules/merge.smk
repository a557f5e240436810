"""Merging: one job per stage joins the parts of its tables that the shards wrote."""

for stage in registry.sharded():
    generated_only = stage.name == "traces"

    rule:
        name:
            f"merge_{stage.name}"
        input:
            **parts_of(stage),
        output:
            **joined_by(stage),
        log:
            f"<results>/{{model}}/{{dataset}}/logs/{stage.name}/merge.log",
        wildcard_constraints:
            # Imported thoughts are not sharded.
            dataset=(
                datasets_with(thoughts=False)
                if generated_only
                else "|".join(map(re.escape, config["datasets"]))
            ),
        localrule: True
        conda:
            ENVIRONMENT
        params:
            stage=stage.name,
            code=code_digest("shards/merge", f"{stage.name}.tables"),
        message:
            f"{stage.title} of {{wildcards.model}} on {{wildcards.dataset}}"
        script:
            "../workflow/scripts/shards/merge.py"
