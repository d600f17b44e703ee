"""Every edit, by the name a recipe calls it."""
