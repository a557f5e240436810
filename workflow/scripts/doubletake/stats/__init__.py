"""Statistics: intervals, contrasts, seeded draws, cases for verification."""
