"""Lab2Pix-V2: SPADE with global label features, judged by hierarchical perceptual discriminators."""
