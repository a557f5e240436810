"""The report's page and the figures: layout, style, wording, data of a study."""
