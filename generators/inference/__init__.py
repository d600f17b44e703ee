"""Rendering: bytes in, bytes out, as fast as the device allows."""

from generators.inference.renderer import Renderer

__all__ = ["Renderer"]
