"""Published claims on the filter, probes and value vectors, measured in a run."""

import polars as pl

from doubletake.page.wording import probability, real
from reproduction.run import Finding, NotMeasured, Run

PROBING, UNMATCHED = "probing", "unmatched_probes"
VECTORS = "value_vectors"
CONTRAST = "backtrack_wrap_up"
SHOWN = 3
"""Words of the first listed vector that stand beside the published one."""
LEVEL = 0.05
"""Largest p-value of a claim."""


def filter_share(run: Run) -> Finding:
    """First backtracks at which a backtrack word is the most likely next token."""
    first = run.rows("turns", kind="backtrack", ordinal=1)
    cases = first.select("problem", value="is_word")
    return run.mean("turns", "is_word", cases, shares=True)


def best_boundary(run: Run) -> Finding:
    """The boundary at which the probe separates best."""
    probes = _probes(run)
    # ASSUME: a published layer is the boundary of the same number, its input.
    row = probes.sort("auroc", descending=True).row(0, named=True)
    return Finding(
        _table(run),
        "boundary",
        float(row["boundary"]),
        cases=row["cases"],
        problems=row["problems"],
        note=f"the last is {probes.height - 1}; AUROC {real(row['auroc'], 2)}",
    )


def told_boundaries(run: Run, depth: tuple[float, float]) -> Finding:
    """Share of the boundaries between two shares of the depth at which a probe tells.

    By the published recipe: AUROC above 0.5, positions not matched. By ours: matched
    positions, above the best control, for all boundaries and contrasts at once.
    """
    rows = _probes(run)
    share = pl.col("boundary") / rows["boundary"].max()
    inside = rows.filter(share.is_between(*depth))
    column, least = "selectivity_low_of_all", 0.0
    if run.published:
        column, least = "auroc_low", 0.5
    lows = inside[column].drop_nulls()
    if lows.is_empty():
        raise NotMeasured("no boundary of the published range has an interval")
    told = float((lows > least).sum()) / inside.height
    return Finding(
        _table(run),
        column,
        told,
        cases=inside.height,
        problems=inside["problems"][0],
        holds=told > 0.5,
        note=f"highest AUROC {real(max(inside['auroc'].to_list()), 2)}",
    )


def _table(run: Run) -> str:
    """The table of probes: of positions as they come, or of matched pairs."""
    return UNMATCHED if run.published else PROBING


def _probes(run: Run) -> pl.DataFrame:
    """The probes of turning back against wrapping up, by boundary.

    Raises:
        NotMeasured: there are none; with the reason.
    """
    if run.published:
        if UNMATCHED in run.tables and run.tables[UNMATCHED].is_empty():
            raise NotMeasured("too few problems with a backtrack, or with a wrap-up")
        return run.table(UNMATCHED)
    left_out = run.table("probing/contrasts").filter(contrast=CONTRAST)["left_out"]
    if left_out.drop_nulls().len():
        raise NotMeasured(left_out[0])
    return run.rows(PROBING, contrast=CONTRAST)


def listed_vector(run: Run, layer: int, vector: int) -> Finding:
    """Whether a unit is among the listed ones: 1, else 0."""
    listed = run.table(VECTORS)
    found = listed.filter(layer=layer, vector=vector).height > 0
    first = listed.row(0, named=True)
    words = ", ".join(token.strip() for token in first["tokens_for"][:SHOWN])
    note = f"first: layer {first['layer']}, vector {first['vector']}: {words}"
    return Finding(VECTORS, "vector", float(found), cases=listed.height, note=note)


def vector_words(run: Run) -> Finding:
    """Vectors for turning back that write a backtrack word, minus those against it.

    The test is Fisher's exact one, one-sided: the null is that a vector's side says
    nothing of the words that it writes.
    """
    from scipy.stats import fisher_exact  # here, because its import is slow

    contrast = run.settings["value_vectors"]["contrast"]
    if not contrast.startswith("backtrack_"):
        raise NotMeasured(f"the listed vectors are those of the contrast {contrast}")
    words = run.rows("turns/words", group="backtrack")["token_id"].to_list()
    is_word = pl.element().is_in(words)
    listed = run.table(VECTORS).select(
        "side", writes=pl.col("token_ids_for").list.eval(is_word).list.any()
    )
    counts = {
        side: (int(part["writes"].sum()), part.height)
        for (side,), part in listed.group_by("side")
    }
    (hits, n), (others, m) = counts["for"], counts["against"]
    p = float(fisher_exact([[hits, n - hits], [others, m - others]], "greater")[1])
    return Finding(
        VECTORS,
        "token_ids_for",
        hits / n - others / m,
        cases=n + m,
        holds=p <= LEVEL,
        note=f"{hits} of {n} for, {others} of {m} against; p {probability(p)}",
    )
