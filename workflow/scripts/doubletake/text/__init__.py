"""Text: tokens, the edges of a thought, sentences, numbers and answers."""
