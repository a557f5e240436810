"""Published claims on steering, wrong samples and ablation."""

from reproduction import interventions
from reproduction.claim import Claim
from reproduction.tables import DIFFERENCE


def intervention_claims() -> list[Claim]:
    """What changes when states are changed."""
    return [
        Claim(
            "steering_once",
            "Injection",
            "Share of the divergence on the first token, vector injected once at the "
            "prompt\u2019s end; the lowest one tested",
            "share",
            interventions.injected_once,
            rule="for every tested direction and depth, the corrected interval lies "
            "above 0.5",
        ),
        Claim(
            "steering_attention",
            "Injection",
            "Attention to the injected token minus that to it unsteered; the largest",
            DIFFERENCE,
            interventions.injected_attention,
            rule="the experiment on injection calls the presumption supported for "
            "every direction and depth that it could check",
        ),
        Claim(
            "steering_continuous",
            "Steering",
            "Backtracks per 100 tokens at the largest strength toward turning back "
            "with whole text, minus none",
            "backtracks",
            interventions.continuous,
            rule="no strength raises turning while the text stays whole, and some "
            "strength breaks the text",
        ),
        Claim(
            "steering_wrap_up",
            "Steering",
            "Fall of the backtracks per 100 tokens at the largest strength away from "
            "turning back with whole text",
            "backtracks",
            interventions.wrap_up,
            rule="its interval lies above that of the rise on the other side",
        ),
        Claim(
            "wrong_samples",
            "Wrong samples",
            "Wrong thoughts mended by steering, minus by resampling",
            DIFFERENCE,
            interventions.wrong_samples,
            rule="the interval lies below +10 points",
        ),
        Claim(
            "ablation_targeted",
            "Ablation",
            "Probability of turning back with chosen units set to 0, minus with "
            "random units",
            "probability",
            interventions.targeted,
            rule="for one choice of units below 0, by rank among random sets (Holm, "
            "0.05)",
        ),
    ]
