"""All published claims that are compared, in the order of the page."""

from reproduction.claim import Claim
from reproduction.exit_claims import exit_accuracies, exit_logits, exit_statements
from reproduction.inside_claims import inside_claims, word_claims
from reproduction.intervention_claims import intervention_claims
from reproduction.published import References


def all_claims(references: References) -> list[Claim]:
    """Every claim that a study is compared with."""
    return [
        *exit_statements(),
        *exit_accuracies(),
        *inside_claims(references),
        *word_claims(references),
        *intervention_claims(),
        *exit_logits(references),
    ]
