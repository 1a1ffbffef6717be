"""What follows from a result: the figures that a study compares between people."""
