"""Events: where a thought arrives at an answer, turns back, wraps up."""
