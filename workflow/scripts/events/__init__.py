"""Events: where a thought arrives at an answer, turns back and wraps up."""
