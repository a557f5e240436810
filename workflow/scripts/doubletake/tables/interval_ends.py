"""What the columns with the ends of an interval mean, in all tables."""

LOW = "lower end of its interval over problems; null: too few problems, or equal on all"
HIGH = "upper end; null: as the lower end"
