"""Value vectors: the columns of MLPs that write the direction of a probe."""
