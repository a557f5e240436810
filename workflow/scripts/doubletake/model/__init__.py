"""The model: one adapter around a Hugging Face decoder, proven when it loads."""
