"""What hour and weather do to the picture of one street, and what they leave as it is."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.resolution import Resolution
from pipeline.sources.streetscapes import classes, draw_world, rasterise
from pipeline.sources.streetscapes.rasterise import Rendered
from pipeline.sources.streetscapes.world import TimeOfDay, Weather

SMALL = Resolution(256, 128)


def street(layout: int, time_of_day: TimeOfDay, weather: Weather = "clear") -> Rendered:
    return rasterise(draw_world(np.random.default_rng(layout), time_of_day, weather), SMALL)


def luminance(rendered: Rendered) -> npt.NDArray[np.float64]:
    assert rendered.image is not None
    return rendered.image @ np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("weather", ["clear", "overcast", "fog"])
@pytest.mark.parametrize("layout", range(4))
def test_night_is_darker_than_dusk_and_dusk_than_day(layout: int, weather: Weather) -> None:
    day, dusk, night = (luminance(street(layout, t, weather)).mean() for t in ("day", "dusk", "night"))
    assert night < 0.95 * dusk
    assert dusk < 0.95 * day


def test_hour_and_weather_leave_the_maps_alone() -> None:
    day, night = street(3, "day"), street(3, "night", "fog")
    np.testing.assert_array_equal(day.labels, night.labels)
    np.testing.assert_array_equal(day.instances, night.instances)


def test_the_sky_at_dusk_is_redder_than_at_noon() -> None:
    hours: tuple[TimeOfDay, TimeOfDay] = ("day", "dusk")
    for layout in range(4):
        warmth = []
        for time_of_day in hours:
            rendered = street(layout, time_of_day)
            assert rendered.image is not None
            red, _, blue = rendered.image[rendered.labels == classes.SKY].mean(axis=0)
            warmth.append(red / blue)
        assert warmth[1] > 1.3 * warmth[0]


def test_fog_takes_contrast_from_what_is_far_and_leaves_what_is_near() -> None:
    for layout in range(4):
        clear, fog = luminance(street(layout, "day", "overcast")), luminance(street(layout, "day", "fog"))
        far, near = slice(50, 68), slice(108, 128)
        assert fog[far].std() < 0.9 * clear[far].std()
        assert fog[near].std() > 0.5 * clear[near].std()


def test_lights_shine_at_night_where_they_are_seen() -> None:
    lit = 0
    for layout in range(12):
        rendered = street(layout, "night")
        cars = luminance(rendered)[rendered.labels == classes.CAR]
        lit += bool(cars.size) and cars.max() > 200
    assert lit >= 8
