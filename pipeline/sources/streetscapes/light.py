"""The light of an hour: sky, sun, lamps, and what fog takes away. Colours are linear unless they say sRGB."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.sources.streetscapes.shapes import Color, Facing, Glow
from pipeline.sources.streetscapes.world import TimeOfDay, Weather

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Light:
    """Everything the shading needs to know of an hour."""

    zenith: Color  # sRGB
    horizon: Color  # sRGB
    sky_glow: Color  # linear, around sun or moon
    ambient: Color
    sun: Color
    lamps: float  # strength of street lamps and own headlights
    haze: float  # share of the light lost per metre
    haze_color: Color
    glow: dict[Glow, float]
    clouds: float
    stars: float
    grain: float  # noise of the sensor


_LIT_NIGHT = {
    Glow.WINDOW: 0.62,
    Glow.SHOP: 0.72,
    Glow.HEADLIGHT: 2.6,
    Glow.TAILLIGHT: 1.5,
    Glow.LAMP: 2.6,
    Glow.SIGNAL: 1.5,
    Glow.REFLECTOR: 0.22,
}
_LIT_DUSK = {
    Glow.WINDOW: 0.48,
    Glow.SHOP: 0.62,
    Glow.HEADLIGHT: 1.9,
    Glow.TAILLIGHT: 1.1,
    Glow.LAMP: 1.7,
    Glow.SIGNAL: 1.1,
    Glow.REFLECTOR: 0.08,
}
_LIT_DAY = {Glow.SIGNAL: 0.7, Glow.HEADLIGHT: 0.5, Glow.TAILLIGHT: 0.12}


def light_of(time_of_day: TimeOfDay, weather: Weather) -> Light:
    """The light of an hour in a weather."""
    return {"day": _day, "dusk": _dusk, "night": _night}[time_of_day](weather)


def _day(weather: Weather) -> Light:
    clear, fog = weather == "clear", weather == "fog"
    return Light(
        zenith=(0.27, 0.48, 0.80) if clear else ((0.74, 0.76, 0.78) if fog else (0.60, 0.64, 0.69)),
        horizon=(0.80, 0.88, 0.94) if clear else ((0.80, 0.81, 0.82) if fog else (0.83, 0.85, 0.86)),
        sky_glow=(0.35, 0.30, 0.2) if clear else (0.0, 0.0, 0.0),
        ambient=(0.76, 0.82, 0.92) if clear else ((1.02, 1.03, 1.04) if fog else (1.04, 1.07, 1.12)),
        sun=(1.5, 1.32, 0.98) if clear else (0.0, 0.0, 0.0),
        lamps=0.0,
        haze=0.026 if fog else (0.0028 if clear else 0.0045),
        haze_color=(0.62, 0.64, 0.65) if fog else (0.62, 0.72, 0.82),
        glow=_LIT_DAY,
        clouds=0.75 if clear else 0.5,
        stars=0.0,
        grain=0.008,
    )


def _dusk(weather: Weather) -> Light:
    clear, fog = weather == "clear", weather == "fog"
    return Light(
        zenith=(0.20, 0.24, 0.48) if clear else ((0.42, 0.38, 0.46) if fog else (0.30, 0.30, 0.42)),
        horizon=(0.98, 0.62, 0.34) if clear else ((0.66, 0.52, 0.48) if fog else (0.74, 0.56, 0.50)),
        sky_glow=(0.75, 0.34, 0.08) if clear else (0.12, 0.05, 0.02),
        ambient=(0.30, 0.27, 0.36) if clear else (0.27, 0.25, 0.32),
        sun=(0.42, 0.20, 0.08) if clear else (0.0, 0.0, 0.0),
        lamps=0.55,
        haze=0.024 if fog else 0.005,
        haze_color=(0.34, 0.25, 0.24) if fog else (0.42, 0.26, 0.22),
        glow=_LIT_DUSK,
        clouds=0.7,
        stars=0.0,
        grain=0.010,
    )


def _night(weather: Weather) -> Light:
    clear, fog = weather == "clear", weather == "fog"
    return Light(
        zenith=(0.05, 0.07, 0.15) if clear else ((0.14, 0.14, 0.18) if fog else (0.09, 0.09, 0.14)),
        horizon=(0.17, 0.18, 0.29) if clear else ((0.24, 0.22, 0.24) if fog else (0.22, 0.19, 0.23)),
        sky_glow=(0.03, 0.035, 0.05) if clear else (0.0, 0.0, 0.0),
        ambient=(0.052, 0.062, 0.108),
        sun=(0.012, 0.016, 0.03) if clear else (0.0, 0.0, 0.0),
        lamps=1.0,
        haze=0.022 if fog else 0.004,
        haze_color=(0.055, 0.048, 0.05) if fog else (0.02, 0.022, 0.04),
        glow=_LIT_NIGHT,
        clouds=0.35,
        stars=1.0 if clear else 0.0,
        grain=0.015,
    )


def sky_share() -> Vector:
    """How much of the sky's light each facing receives, in the order of Facing."""
    shares = {Facing.UP: 1.0, Facing.LEFT: 0.72, Facing.RIGHT: 0.72, Facing.NEAR: 0.8, Facing.ROUND: 0.82}
    return np.array([shares[facing] for facing in Facing], np.float32)


def sun_share(sun_side: float) -> Vector:
    """How much of the sun each facing receives when the sun stands on this side."""
    shares = {
        Facing.UP: 0.75,
        Facing.LEFT: max(0.0, -sun_side) * 0.9,
        Facing.RIGHT: max(0.0, sun_side) * 0.9,
        Facing.NEAR: 0.35,
        Facing.ROUND: 0.6,
    }
    return np.array([shares[facing] for facing in Facing], np.float32)
