"""What a label map is, and every way to change one. NumPy and OpenCV only."""
