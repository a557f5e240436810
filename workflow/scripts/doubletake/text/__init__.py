"""Text: tokens, markers of thoughts, sentences, numbers and answers."""
