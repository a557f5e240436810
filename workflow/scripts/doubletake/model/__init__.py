"""The model: a Hugging Face decoder and its parts by name, checked when it loads."""
