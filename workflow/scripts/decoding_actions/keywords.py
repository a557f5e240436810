"""Names of the actions, and the words that they forbid, as the papers list them."""

NOWAIT, CONTROL, CGRS, S1 = "nowait", "control", "cgrs", "s1"
ACTIONS = (NOWAIT, CONTROL, CGRS, S1)
"""All actions, in the order of the tables."""
PARAGRAPH, SENTENCE = "paragraph", "sentence"
"""Checkpoints of CGRS: at the end of every paragraph, or of every sentence."""

ENGLISH = {
    NOWAIT: (
        *("wait", "alternatively", "hmm", "but", "however", "alternative", "another"),
        *("check", "double-check", "oh", "maybe", "verify", "other", "again", "now"),
        *("ah", "any"),
    ),
    CGRS: ("wait", "but", "alternatively", "alternative", "hmm"),
}
"""NoWait: Wang et al. 2025 (arXiv 2506.08343). CGRS: Huang et al. 2025 (arXiv
2508.05337), the reflection triggers."""

# ASSUME: these words open the forms of `chinese_cues` that turn back by a word alone.
CHINESE = {
    NOWAIT: (
        *(
            "等等",
            "等一下",
            "等下",
            "慢着",
            "稍等",
            "但是",
            "但",
            "不过",
            "可是",
            "然而",
        ),
        *("或者", "要么", "另外", "嗯", "不对", "检查", "验算", "重新", "再", "也许"),
    ),
    CGRS: ("等等", "等一下", "但是", "但", "或者", "嗯"),
}
"""Words of the house for thoughts with Chinese characters, besides the English ones."""


def keywords(action: str, *, chinese: bool) -> tuple[str, ...]:
    """The words that an action forbids.

    Args:
        action: `nowait` or `cgrs`.
        chinese: whether a thought of the study holds Chinese characters.
    """
    return ENGLISH[action] + (CHINESE[action] if chinese else ())
