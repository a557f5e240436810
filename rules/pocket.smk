"""The pocket model: its training, its labelled traces and its evaluation (`make pocket`).

No target of the workflow needs these rules. Their outputs are not in resources/, so the
date of a file can never start a new training of the shipped model.
"""


rule train_pocket:
    input:
        settings=SOURCES.own("config/pocket-training.yaml"),
    output:
        model=directory("<results>/training/pocket/model"),
        training="<results>/training/pocket/training.json",
    log:
        "<results>/training/pocket/logs/train.log",
    benchmark:
        "<results>/training/pocket/benchmarks/train.tsv"
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        code=code_digest("pocket/train"),
    message:
        "Training of the pocket model from random weights (45 minutes on two cores)"
    script:
        "../workflow/scripts/pocket/train.py"


rule label_pocket:
    output:
        labels="<results>/training/pocket/labelled_traces.jsonl",
    log:
        "<results>/training/pocket/logs/label.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings={"traces": 60, "seed": 0},
        code=code_digest("pocket/label"),
    message:
        "Labelled thoughts of the pocket language"
    script:
        "../workflow/scripts/pocket/label.py"


rule evaluate_pocket:
    input:
        model=rules.train_pocket.output.model,
    output:
        problems="<results>/training/pocket/problems.jsonl",
        metrics="<results>/training/pocket/metrics.json",
        traces="<results>/training/pocket/traces.jsonl",
    log:
        "<results>/training/pocket/logs/evaluate.log",
    benchmark:
        "<results>/training/pocket/benchmarks/evaluate.tsv"
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        settings={
            "problems": 1000,
            "problems_without_thought": 2000,
            "seed": 0,
            "temperature": 0.6,
            "top_p": 0.95,
            "max_new_tokens": 1024,
            "batch": 100,
        },
        code=code_digest("pocket/evaluate"),
    message:
        "The pocket model on problems it has never seen"
    script:
        "../workflow/scripts/pocket/evaluate.py"
