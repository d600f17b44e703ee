"""Small data sets in every format, written with an encoder of PNG that shares nothing with the reader."""

import io
import json
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from label_editing.catalog import Catalog
from pipeline.catalogs import load_catalog
from pipeline.sources import SOURCES, SourceConfig

HEIGHT, WIDTH = 24, 40
NAMES = ("000_b", "001_a", "002_c")


def png(pixels: np.ndarray, depth: int | None = None, palette: list[tuple[int, int, int]] | None = None) -> bytes:
    """Grey, palette or RGB PNG of 1 to 16 bits, byte by byte from the specification."""
    depth = depth or pixels.dtype.itemsize * 8
    kind = 3 if palette is not None else 2 if pixels.ndim == 3 else 0
    height, width = pixels.shape[:2]
    if depth < 8:
        bits = np.unpackbits(pixels.astype(np.uint8)[..., None], axis=-1)[..., -depth:].reshape(height, -1)
        rows = [np.packbits(row).tobytes() for row in bits]
    else:
        rows = [row.astype(f">u{depth // 8}").tobytes() for row in pixels]
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))]
    if palette is not None:
        parts.append((b"PLTE", bytes(v for color in palette for v in color)))
    parts.append((b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))))
    parts.append((b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + body


def write(path: Path, data: bytes) -> Path:
    """The file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def street(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, instances and image of a Cityscapes scene: sky over road, two cars, a group of people."""
    labels = np.full((HEIGHT, WIDTH), 7, np.uint8)
    labels[:10] = 23
    labels[12:16, 5 + seed : 12 + seed] = 26
    labels[12:16, 20:25] = 26
    labels[11:17, 30:32] = 24
    instances = labels.astype(np.uint16)
    instances[12:16, 5 + seed : 12 + seed] = 26000
    instances[12:16, 20:25] = 26003
    image = np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return labels, instances, image


@pytest.fixture
def street_maps() -> Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    return street


@pytest.fixture
def encode_png() -> Callable[..., bytes]:
    return png


@pytest.fixture
def cityscapes(tmp_path: Path) -> Path:
    """The official tree: three pairs of two cities in train, one label map without image in val."""
    root = tmp_path / "cityscapes"
    for seed, (city, frame) in enumerate(
        (("aachen", "000000_000019"), ("aachen", "000001_000019"), ("ulm", "000002_000019"))
    ):
        labels, instances, image = street(seed)
        stem = f"{city}/{city}_{frame}"
        write(root / f"gtFine/train/{stem}_gtFine_labelIds.png", png(labels))
        write(root / f"gtFine/train/{stem}_gtFine_instanceIds.png", png(instances))
        write(root / f"gtFine/train/{stem}_gtFine_color.png", png(image))
        write(root / f"leftImg8bit/train/{stem}_leftImg8bit.png", png(image))
    labels, instances, _ = street(3)
    write(root / "gtFine/val/bonn/bonn_000000_000019_gtFine_labelIds.png", png(labels))
    write(root / "gtFine/val/bonn/bonn_000000_000019_gtFine_instanceIds.png", png(instances))
    return root


def _camvid(root: Path) -> SourceConfig:
    for name in ("0001TP_006690", "0006R0_f00930", "0016E5_00390"):
        labels = np.full((HEIGHT, WIDTH), 3, np.uint8)
        labels[:8], labels[10:16, 4:14], labels[0, 0] = 0, 8, 11
        write(root / f"trainannot/{name}.png", png(labels))
        write(root / f"train/{name}.png", png(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)))
    return SOURCES["camvid"](root=str(root), instances="components")  # type: ignore[call-arg]


def _coco_stuff(root: Path) -> SourceConfig:
    import cv2

    for name in ("000000000139", "000000000285"):
        labels = np.full((HEIGHT, WIDTH), 156, np.uint8)
        labels[12:] = 148
        labels[14:20, 4:14], labels[14:20, 20:30], labels[0, :5] = 0, 2, 255
        counts = labels.copy()
        counts[13:21, 4:14], counts[14:20, 20:25] = 0, 1
        write(root / f"train_label/{name}.png", png(labels))
        write(root / f"train_inst/{name}.png", png(counts))
        image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        write(root / f"train_img/{name}.jpg", cv2.imencode(".jpg", image)[1].tobytes())
    return SOURCES["coco_stuff"](root=str(root))  # type: ignore[call-arg]


def _folder(root: Path) -> SourceConfig:
    for seed, name in enumerate(NAMES):
        labels, instances, image = street(seed)
        write(root / f"gt/train/city/{name}_ids.png", png(labels))
        write(root / f"inst/train/city/{name}.png", png(instances))
        write(root / f"rgb/train/city/{name}.png", png(image))
    patterns = {
        "labels": "gt/{split}/**/*_ids.png",
        "images": "rgb/{split}/**/*.png",
        "instances": "inst/{split}/**/*.png",
    }
    return SOURCES["folder"](root=str(root), catalog="cityscapes", **patterns)  # type: ignore[call-arg]


def shard(samples: dict[str, dict[str, bytes]]) -> bytes:
    """A tar as any writer of WebDataset shards makes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for key, fields in samples.items():
            for field, data in sorted(fields.items()):
                info = tarfile.TarInfo(f"{key}.{field}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _sample(seed: int) -> dict[str, bytes]:
    labels, instances, image = street(seed)
    note = {"width": WIDTH, "recipe": "dusk", "attributes": json.dumps({"time_of_day": "dusk" if seed else "day"})}
    return {"seg.png": png(labels), "inst.png": png(instances), "png": png(image), "json": json.dumps(note).encode()}


def _webdataset(root: Path) -> SourceConfig:
    catalog: Catalog = load_catalog("cityscapes")
    tars = {"train-000000.tar": ("s-0", "s-1"), "train-000001.tar": ("s-2",)}
    for name, keys in tars.items():
        write(root / f"shards/{name}", shard({key: _sample(int(key[-1])) for key in keys}))
    listed = [{"name": name, "size": (root / f"shards/{name}").stat().st_size} for name in tars]
    said = {"catalog": catalog.model_dump(mode="json"), "shards": listed}
    write(root / "dataset.json", json.dumps(said).encode())
    return SOURCES["webdataset"](root=str(root))  # type: ignore[call-arg]


@pytest.fixture
def write_shard() -> Callable[[dict[str, dict[str, bytes]]], bytes]:
    return shard


@pytest.fixture
def small_source(tmp_path: Path, cityscapes: Path) -> Callable[[str], SourceConfig]:
    """The config of a small data set of this format."""
    makers: dict[str, Callable[[Path], SourceConfig]] = {
        "streetscapes": lambda _: SOURCES["streetscapes"](scenes=3),  # type: ignore[call-arg]
        "cityscapes": lambda _: SOURCES["cityscapes"](root=str(cityscapes)),  # type: ignore[call-arg]
        "camvid": _camvid,
        "coco_stuff": _coco_stuff,
        "folder": _folder,
        "webdataset": _webdataset,
        "sketch": lambda _: SOURCES["sketch"](of={"format": "streetscapes", "scenes": 3}),  # type: ignore[call-arg]
        "unpaired": lambda _: SOURCES["unpaired"](  # type: ignore[call-arg]
            labels={"format": "streetscapes", "scenes": 3},
            photographs={"format": "streetscapes", "scenes": 2, "seed": 1},
        ),
    }
    return lambda format: makers[format](tmp_path / format)
