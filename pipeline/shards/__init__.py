"""Shards: how a sample is encoded, how a tar is built, how it is committed, and how a trainer reads it."""
