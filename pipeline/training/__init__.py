"""Training: pairs in, a generator that renders label maps out."""
