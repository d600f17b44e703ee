"""What is measured on must be apart from what was learned from, and be pairs."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import numpy.typing as npt

from pipeline.console import Console, Progress
from pipeline.errors import InputError, SourceError
from pipeline.evaluation.duplicates import copies_between, thumbnail
from pipeline.glance import spread
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.sources.selection import attributes_of, keys_with_images

_LOOKED_AT = 200  # synthetic pairs
_NAMED = 3
_READERS = 8
_COMPARED = 1000  # images that are learned from


def check_apart(learned: Source, held_out: Source, resolution: Resolution) -> None:
    """InputError where a scene of the held-out source is one of those learned from."""
    if _share_scenes(learned, held_out, resolution):
        raise InputError("the held-out source shares scenes with the real one; give another split or selection")


def check_paired(source: Source, what: str) -> None:
    """SourceError where images are of other scenes than label maps."""
    if not source.paired:
        raise SourceError(f"{what}: its images do not show its label maps; give pairs")


def check_pairs(held_out: Source) -> None:
    """SourceError where there is nothing to measure on: no images, or images of other scenes."""
    check_paired(held_out, "the held-out source")
    if not keys_with_images(held_out):
        raise SourceError(f"the held-out source: none of its {len(held_out.keys())} label maps has an image")


def note_of_leaks(synthetic: Source, held_out: Source) -> str:
    """A word of warning where synthetic pairs were made of label maps that are held out; empty where none was.

    Keys are all that pairs say of their origin, and two sources may use the same ones.
    """
    looked = spread(synthetic.keys(), _LOOKED_AT)
    origins = [attributes.get("source_key") for attributes in attributes_of(synthetic, looked).values()]
    held = set(held_out.keys())
    leaked = sum(origin in held for origin in origins)
    if not leaked:
        return ""
    return (
        f"{leaked} of {len(looked)} synthetic pairs were made of scenes that have the keys of held-out ones: if they "
        "are the same, the arms with synthetic pairs have seen what they are measured on"
    )


def note_of_copies(learned: Source, held_out: Source, resolution: Resolution, console: Console) -> str:
    """A word of warning where held-out images show what learned ones show, whatever their names; or empty."""
    keys, held = spread(keys_with_images(learned), _COMPARED), keys_with_images(held_out)
    with console.progress("looking for copies", len(keys) + len(held), "images") as progress:
        known, seen = (
            _thumbnails(source, of_source, resolution, progress)
            for source, of_source in ((learned, keys), (held_out, held))
        )
    copies = copies_between(seen, known) if known else []
    if not copies:
        return ""
    shown = ", ".join(f"{held[copy.one]} like {keys[copy.other]}" for copy in copies[:_NAMED])
    every = len(keys_with_images(learned))
    some = f"{len(keys)} looked at of the {every} " if len(keys) < every else ""
    return (
        f"{len(copies)} of {len(held)} held-out images show what {some}images that are learned from show, perhaps "
        f"mirrored or exposed anew ({shown}{', ...' if len(copies) > _NAMED else ''}): what is measured on them says "
        "little"
    )


def _thumbnails(
    source: Source, keys: Sequence[str], resolution: Resolution, progress: Progress
) -> list[npt.NDArray[np.float32]]:
    """Read in threads: on object storage waiting is most of it."""
    found = []
    with ThreadPoolExecutor(_READERS) as readers:
        for image in readers.map(partial(source.read_image, resolution=resolution), keys):
            assert image is not None  # keys_with_images
            found.append(thumbnail(image))
            progress.advance()
    return found


def _share_scenes(learned: Source, held_out: Source, resolution: Resolution) -> bool:
    """Whether some key that both sources have is the same scene in both."""
    shared = sorted(set(held_out.keys()) & set(learned.keys()))
    files = [(list(learned.files(key)), list(held_out.files(key))) for key in shared]
    if any(one or other for one, other in files):
        return any(one == other for one, other in files)
    # Made up, by one rule or by two: the first tells.
    return any(_same_labels(learned, held_out, key, resolution) for key in shared[:1])


def _same_labels(one: Source, other: Source, key: str, resolution: Resolution) -> bool:
    return np.array_equal(one.read_scene(key, resolution).labels, other.read_scene(key, resolution).labels)
