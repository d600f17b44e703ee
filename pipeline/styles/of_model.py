"""The style bank of a model over its training source: whose looks, read how, on which device."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from generators.inference.device import choose_device
from generators.style import StyleKind
from pipeline.model_directory import OpenModel
from pipeline.sources.base import Source
from pipeline.sources.selection import keys_with_images
from pipeline.styles.bank import StyleBank
from pipeline.styles.fit import fit_style_bank, spread
from pipeline.styles.noise import NoiseReader
from pipeline.styles.regions import ImageLooks, LookReader
from pipeline.train_config import StyleConfig

MOST_SEARCHED = 400  # photographs that noise is sought for: each takes some tens of small renderings


def fit_styles(
    model: OpenModel, source: Source, settings: StyleConfig, on_image: Callable[[int, int], None]
) -> StyleBank:
    """The looks of all images of the source, an image at a time; an empty bank for families without styles."""
    generator, encoder = model.load_generator(), model.load_encoder()
    kind, dim, device = generator.style_kind, generator.style_dim, choose_device("auto")
    if kind is StyleKind.NONE:
        return StyleBank(kind, dim)
    model.check_catalog(source.catalog)
    most = settings.max_images
    reader: LookReader | NoiseReader
    if encoder is not None:
        reader = LookReader(encoder.to(device), kind, source, model.resolution)
    else:
        reader = NoiseReader(generator.to(device), source, model.resolution)
        most = min(most or MOST_SEARCHED, MOST_SEARCHED)
    keys = spread(keys_with_images(source) or source.keys(), most)  # with none at all, the first is refused
    looks = _reported(_read(reader, keys), len(keys), on_image)
    bank = fit_style_bank(looks, kind, dim, settings.clusters, settings.min_area)
    return replace(bank, searched=encoder is None)


def _read(reader: LookReader | NoiseReader, keys: list[str]) -> Iterator[ImageLooks]:
    """The looks of every image; the next pair is read while the one before is encoded."""
    with ThreadPoolExecutor(1, thread_name_prefix="pairs") as pool:
        coming = None
        for key in keys:
            following = pool.submit(reader.pair, key)
            if coming is not None:
                yield reader.looks(*coming.result())
            coming = following
        if coming is not None:
            yield reader.looks(*coming.result())


def _reported(looks: Iterator[ImageLooks], total: int, on_image: Callable[[int, int], None]) -> Iterator[ImageLooks]:
    for number, of_image in enumerate(looks, 1):
        yield of_image
        on_image(number, total)
