"""Which tables the figures of the overview read."""

TABLES = (
    *("traces", "early_exit", "exit_policies/policies"),
    *("probing", "repair/gains"),
)
