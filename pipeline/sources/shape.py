"""What a size does to the scenes of a source: stretched to another shape, or seen in small parts."""

from collections.abc import Sequence
from statistics import median

from pipeline.errors import SourceError, StorageError
from pipeline.glance import spread
from pipeline.resolution import Resolution
from pipeline.sources.base import Source

_LOOKED_AT = 5
_STRETCHED = 1.1  # as much as nobody sees
_WHOLE = 2.0  # a cut shows little of a scene that has more than so many times its pixels
_NEAR = 2.0  # an advised size has at most so many times the pixels of the one asked for


def own_sizes(source: Source) -> list[Resolution]:
    """The sizes of a few scenes; none where scenes are made up at any size."""
    sizes = []
    for key in spread(source.keys(), _LOOKED_AT):
        if not source.files(key):
            return []
        try:
            scene = source.read_scene(key)
        except (SourceError, StorageError):
            continue  # whoever reads all of them tells what is wrong
        sizes.append(Resolution(scene.width, scene.height))
    return sizes


def note_of_shape(own: Sequence[Resolution], size: Resolution, multiple: int = 16) -> str:
    """A word of warning where this size gives most scenes another shape; empty where it does not.

    A size that is advised has sides that are multiples of this.
    """
    if not own:
        return ""
    shape = median(each.width / each.height for each in own)
    stretch = size.width / size.height / shape
    if _unseen(stretch):
        return ""
    usual = min(own, key=lambda each: abs(each.width / each.height - shape))
    way = f"{stretch:.2f} times as wide" if stretch > 1 else f"{1 / stretch:.2f} times as high"
    better = _of_shape(shape, size, multiple)
    advice = "" if better is None else f"; {better} would keep their shape"
    return f"scenes of {usual} become {way} for their size at {size}{advice}"


def alike(one: Resolution, other: Resolution) -> bool:
    """Whether nobody sees that the shapes differ."""
    return _unseen(one.width / one.height / (other.width / other.height))


def _unseen(stretch: float) -> bool:
    return 1 / _STRETCHED <= stretch <= _STRETCHED


def _of_shape(shape: float, size: Resolution, multiple: int) -> Resolution | None:
    """The size of about as many pixels whose shape is nearest; None where none of these sides is near enough."""
    width = (size.pixels * shape) ** 0.5
    sides = [
        Resolution(columns * multiple, round(columns * multiple / shape / multiple) * multiple)
        for columns in range(max(1, int(width / _NEAR / multiple)), int(width * _NEAR / multiple) + 2)
    ]
    fit = [
        each
        for each in sides
        if size.pixels / _NEAR <= each.pixels <= size.pixels * _NEAR and _unseen(each.width / each.height / shape)
    ]
    return min(fit, key=lambda each: abs(each.pixels - size.pixels), default=None)


def note_of_cut(size: Resolution, pixels: float, out_of: str) -> str:
    """A word of warning where `size`, cut at random out of so many pixels, shows little of them; or empty."""
    if pixels <= _WHOLE * size.pixels:
        return ""
    return (
        f"a step sees {size.pixels / pixels:.0%} of a picture: {size} cut at random out of {out_of}; to learn whole "
        "scenes set data.load nearer to resolution, or to null"
    )


def usual_pixels(own: Sequence[Resolution]) -> float:
    """Of a scene; 0 where scenes are made up at any size."""
    return median(each.pixels for each in own) if own else 0
