"""For later stages: the causes in thoughts of the pocket language, and their rates."""

__all__ = [
    *("CAUSES", "CHOICES", "GO_ON", "LANGUAGE", "NONE", "TEMPERATURE", "TOP_P"),
    *("TURN", "WRAP_UP", "Reading", "read_thought", "turn_rate"),
]

LANGUAGE = "pocket-causes-1"
"""Name of the language, as a model's card gives it (`planted_language`)."""
