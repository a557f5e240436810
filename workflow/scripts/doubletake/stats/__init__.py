"""Statistics: intervals, contrasts, and cases drawn by seed."""
