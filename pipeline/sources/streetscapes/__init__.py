"""A procedural street world: scenes with exact labels and instances, at any hour and any resolution."""

from pipeline.sources.streetscapes.rasterise import Rendered, rasterise
from pipeline.sources.streetscapes.source import WORLD_VERSION, StreetscapesConfig, StreetscapesSource
from pipeline.sources.streetscapes.street import draw_world
from pipeline.sources.streetscapes.world import World

__all__ = ["WORLD_VERSION", "Rendered", "StreetscapesConfig", "StreetscapesSource", "World", "draw_world", "rasterise"]
