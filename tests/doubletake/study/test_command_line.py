"""Values of `--config` are those that a config file would hold."""

import pytest
from snakemake.cli import parse_config

from doubletake.study.command_line import command_line_values


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("early_exit={max_answer_tokens: 4}", {"max_answer_tokens": 4}),
        (
            "deep={b: {c: [1, 0.5, true, null, '7']}}",
            {"b": {"c": [1, 0.5, True, None, "7"]}},
        ),
        ("early_exit={'groups': [1]}", {"groups": [1]}),
        ('models={"m": {"date": "2025-01-31"}}', {"m": {"date": "2025-01-31"}}),
        ("studies=[{model: m, dataset: d}]", [{"model": "m", "dataset": "d"}]),
        ("shards=4", 4),
        ("value=1e-3", 0.001),
        ("value=True", True),
        ("value=true", True),
        ("value=null", None),
        ("value=", None),
        ("results=~/out", "~/out"),
        ("results=a=b", "a=b"),
        ("results=a: b: c", "a: b: c"),
    ],
)
def test_a_value_is_read_as_in_a_file(entry, value):
    key = entry.partition("=")[0]
    assert list(command_line_values([entry], parse_config([entry]))) == [{key: value}]


def test_a_dotted_key_is_refused_by_snakemake():
    with pytest.raises(ValueError, match="must start with a valid identifier"):
        parse_config(["early_exit.groups=[1]"])


def test_entries_keep_their_order():
    entries = ["one={b: 1}", "two=2", "one={d: 3}"]
    values = list(command_line_values(entries, parse_config(entries)))
    assert values == [{"one": {"b": 1}}, {"two": 2}, {"one": {"d": 3}}]
