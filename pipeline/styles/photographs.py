"""Looks of photographs that were not trained on: `like: dusk.jpg` lends the look of a file to every scene."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from generators.style import StyleKind
from pipeline.errors import InputError, MissingFileError
from pipeline.model_directory import OpenModel
from pipeline.sources.base import Image, Source
from pipeline.sources.pixels import decode_image, resize_image
from pipeline.storage import Store
from pipeline.styles.bank import WHOLE_IMAGE, Members, StyleBank, Vector
from pipeline.styles.noise import NoiseReader
from pipeline.styles.picks import LikePick, StylePick
from pipeline.styles.regions import LookReader


def with_photographs(bank: StyleBank, picks: Sequence[StylePick], model: OpenModel, source: Source) -> StyleBank:
    """The bank and the looks of all photographs that these lines name; they become a part of its fingerprint."""
    wanted = [line.pick.like for line in picks if isinstance(line.pick, LikePick) and line.pick.is_file]
    missing = [path for path in dict.fromkeys(wanted) if path not in bank.image_index]
    if not missing or not bank.clusters or bank.kind is StyleKind.INSTANCE:
        return bank  # what cannot be given is said with everything else that a recipe has wrong
    encoder = model.load_encoder()
    reader = (
        NoiseReader(model.load_generator(), source, model.resolution)
        if encoder is None
        else LookReader(encoder, bank.kind, source, model.resolution)
    )
    # Noise is tried on some street of the source; an encoder does not look at the labels.
    scene = source.read_scene(source.keys()[0], reader.size)
    for path in missing:
        looks = reader.looks(scene, resize_image(read_photograph(path), reader.size))
        bank = _with_image(bank, path, looks.vectors)
    return bank


def read_photograph(path: str) -> Image:
    """A PNG or JPEG from anywhere; InputError where it is none."""
    folder, _, name = path.rpartition("/")
    store = Store(folder or ("/" if path.startswith("/") else "."))
    try:
        return decode_image(store.read(name))
    except MissingFileError:
        raise InputError(f"like: {store.place(name)}: no such file") from None
    except ValueError as error:
        raise InputError(f"like: {store.place(name)}: {error}") from None


def _with_image(bank: StyleBank, path: str, vectors: Vector) -> StyleBank:
    """One more image that lends, in the cluster it is nearest to; it counts in no cluster's size."""
    members = bank.members
    assert members is not None
    nearest = min(bank.by_class[WHOLE_IMAGE], key=lambda c: float(np.square(c.centre - vectors[0]).sum()))
    longer = Members(
        image=np.append(members.image, np.int32(len(bank.image_keys))),
        class_id=np.append(members.class_id, np.int32(WHOLE_IMAGE)),
        cluster=np.append(members.cluster, np.int32(nearest.number)),
        size=np.append(members.size, np.int32(1)),
        vectors=np.concatenate([members.vectors, vectors]),
    )
    return replace(
        bank, image_keys=(*bank.image_keys, path), image_attributes=(*bank.image_attributes, {}), members=longer
    )
