"""Making a data set: one shard's way from label maps to a committed tar, and the run that makes them all."""
