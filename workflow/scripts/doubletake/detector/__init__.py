"""The detector: where a thought arrives at an answer and turns back."""
