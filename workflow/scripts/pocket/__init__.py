"""The pocket model: its language, its tokenizer, its training."""
