"""Lab2Pix-V1: label maps and photographs that do not belong together."""
