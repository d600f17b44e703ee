"""Is it realistic, is it faithful, does it help: every claim about a model or a data set as a number."""
