"""Label map in, image out, and how each family is trained. torch only."""
