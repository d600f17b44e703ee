"""The style bank of a model over its training source: whose looks, read how, on which device."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from generators.inference.device import choose_device
from generators.style import StyleKind
from orchestration.cluster import ClusterInfo
from pipeline.glance import spread
from pipeline.model_directory import OpenModel
from pipeline.passes import each
from pipeline.sources.base import Source
from pipeline.sources.selection import keys_with_images
from pipeline.styles.bank import StyleBank
from pipeline.styles.fit import fit_style_bank
from pipeline.styles.noise import NoiseReader
from pipeline.styles.regions import ImageLooks, LookReader
from pipeline.train_config import StyleConfig

MOST_SEARCHED = 400  # photographs that noise is sought for: each takes some tens of small renderings


def fit_styles(
    model: OpenModel,
    source: Source,
    settings: StyleConfig,
    on_image: Callable[[int, int], None],
    cluster: ClusterInfo | None = None,
) -> StyleBank:
    """The looks of all images of the source; an empty bank for families without styles.

    Images are looked at by every GPU of the cluster, or CPU where it has none; on this machine's device without one.
    """
    generator, is_searched = model.load_generator(), model.load_encoder() is None
    kind, dim = generator.style_kind, generator.style_dim
    if kind is StyleKind.NONE:
        return StyleBank(kind, dim)
    model.check_catalog(source.catalog)
    most = settings.max_images
    if is_searched:
        most = min(most or MOST_SEARCHED, MOST_SEARCHED)
    keys = spread(keys_with_images(source) or source.keys(), most)  # with none at all, the first is refused
    viewer = LookAt(model, source)
    looks = _read_here(viewer, keys) if cluster is None else each(viewer, keys, cluster, "styles")
    bank = fit_style_bank(_reported(looks, len(keys), on_image), kind, dim, settings.clusters, settings.min_area)
    return replace(bank, searched=is_searched)


@dataclass(frozen=True)
class LookAt:
    """Makes what looks at images of a source. Pickles, so that any worker can make one."""

    model: OpenModel
    source: Source

    def reader(self) -> LookReader | NoiseReader:
        """The model's encoder, or its generator where it has none, on the device that is here."""
        generator, encoder = self.model.load_generator(), self.model.load_encoder()
        device = choose_device("auto")
        if encoder is None:
            return NoiseReader(generator.to(device), self.source, self.model.resolution)
        return LookReader(encoder.to(device), generator.style_kind, self.source, self.model.resolution)

    def __call__(self) -> Callable[[str], ImageLooks]:
        reader = self.reader()
        return lambda key: reader.looks(*reader.pair(key))


def _read_here(viewer: LookAt, keys: list[str]) -> Iterator[ImageLooks]:
    """The looks of every image; the next pair is read while the one before is encoded."""
    reader = viewer.reader()
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
