"""Rendering: bytes in, bytes out, as fast as the device allows."""

from generators.inference.device import FastPath
from generators.inference.faults import DeviceFailed
from generators.inference.renderer import Renderer

__all__ = ["DeviceFailed", "FastPath", "Renderer"]
