"""Styles: the looks found in training data, and how a scene gets one of them."""
