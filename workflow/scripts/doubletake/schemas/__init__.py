"""The tables that pass from rule to rule, one module per stage or experiment."""
