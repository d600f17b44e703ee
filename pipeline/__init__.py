"""What a user runs: commands, recipes, sources, plans, shards, styles, training, evaluation, reports."""
