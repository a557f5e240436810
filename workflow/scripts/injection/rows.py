"""Rows of the tables of divergences and of attention."""

from typing import Any

from injection.contexts import Context
from injection.injections import Injection
from injection.tables import UNSTEERED
from injection.verification_figures import Measured

NAMES = ("direction", "draw", "boundary", "depth", "strength", "mode", "factor")


def divergence_rows(one: Measured) -> list[dict[str, Any]]:
    """Rows of `INJECTION` of a context."""
    return [
        _place(one.context)
        | {name: getattr(injection, name) for name in NAMES}
        | {"kl": kl}
        for injection, kl in zip(one.injections, one.kl.tolist(), strict=True)
    ]


def attention_rows(one: Measured) -> list[dict[str, Any]]:
    """Rows of `INJECTION_ATTENTION` of a context."""
    rows = []
    for injection, layers in zip(one.attended, one.attention.tolist(), strict=True):
        named = _place(one.context) | _attending(injection)
        rows += [
            named | {"layer": layer, "attention": attention}
            for layer, attention in enumerate(layers)
        ]
    return rows


def _attending(one: Injection | None) -> dict[str, Any]:
    if one is None:
        return {"direction": UNSTEERED, "draw": None, "boundary": None, "strength": 0.0}
    names = ("direction", "draw", "boundary", "strength")
    return {name: getattr(one, name) for name in names}


def _place(context: Context) -> dict[str, Any]:
    return {
        name: getattr(context, name) for name in ("trace", "problem", "place", "token")
    }
