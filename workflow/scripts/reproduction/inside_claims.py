"""Published claims on the filter, probes, value vectors, and important words."""

from functools import partial

from reproduction import insides, words
from reproduction.claim import CONTAINED, Claim
from reproduction.published import References
from reproduction.tables import DIFFERENCE, LEVEL


def inside_claims(references: References) -> list[Claim]:
    """What the residual stream tells, and the units along it."""
    listed = references.entry("vector_listed").unit_of
    layer, vector = listed["layer"], listed["vector"]
    depth = references.entry("probe_layers").depth
    return [
        Claim(
            "filter_share",
            "Turns",
            "First backtracks at which a backtrack word is the most likely token",
            "share",
            insides.filter_share,
            LEVEL,
            CONTAINED,
        ),
        Claim(
            "probe_best",
            "Probes",
            "Boundary at which a probe separates turning back from wrapping up best",
            "boundary",
            insides.best_boundary,
            LEVEL,
            "it lies in the published range",
        ),
        Claim(
            "probe_layers",
            "Probes",
            "Boundaries between 19% and 94% of the depth at which the probe tells",
            "share",
            partial(insides.told_boundaries, depth=(depth[0], depth[1])),
            rule="more than half of them: the AUROC's interval lies above 0.5; by our "
            "recipe the positions are matched, and the probe is above its best control "
            "for all boundaries at once",
        ),
        Claim(
            "vector_listed",
            "MLP value vectors",
            f"Vector {vector} of layer {layer} is among the listed",
            "1: yes, 0: no",
            partial(
                insides.listed_vector, layer=listed["layer"], vector=listed["vector"]
            ),
            LEVEL,
            "it is listed",
        ),
        Claim(
            "vector_words",
            "MLP value vectors",
            "Listed vectors for turning back that write a backtrack word, minus those "
            "against it",
            DIFFERENCE,
            insides.vector_words,
            rule="Fisher's exact test, one-sided, p at most 0.05",
        ),
    ]


def word_claims(references: References) -> list[Claim]:
    """Which words and places matter."""
    part = "Attribution"
    claims = [
        Claim(
            "overlap",
            part,
            "The ten most important words that occur in the next 100 words",
            "share",
            words.overlap,
            LEVEL,
            CONTAINED,
        ),
        Claim(
            "last_part",
            part,
            "Importance of the last fifth of the thought",
            "of the largest",
            words.last_part,
            rule="its interval lies above those of the question and all other fifths",
        ),
        Claim(
            "question_part",
            part,
            "Importance of the question",
            "of the largest",
            words.question_part,
            rule="its interval lies above those of the first four fifths",
        ),
    ]
    names = ("the question", *(f"fifth {k} of the thought" for k in range(1, 6)))
    return claims + [
        Claim(
            f"context_part_{number}",
            part,
            f"Importance of {name}",
            "of the largest",
            partial(words.context_part, part=number),
            LEVEL,
            CONTAINED,
            "context_part",
            value,
        )
        for number, (name, value) in enumerate(
            zip(names, references.parts, strict=True)
        )
    ]
