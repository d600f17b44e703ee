"""What synthetic data must beat: objects copied from other scenes, pixels and labels, and photometric augmentation."""

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.catalog import INSTANCES_PER_CLASS, Catalog
from pipeline.sources.base import Image
from pipeline.training.data import TrainingPair

_MOST_PASTED = 4
_LEAST_AREA = 5e-4  # of the image; smaller objects are specks
_FARTHEST_SHIFT = 0.25  # of the width
_MOST_GAMMA = 0.6  # as a power of e
_MOST_CONTRAST = 0.4
_MOST_BRIGHTNESS = 50.0
_MOST_SATURATION = 0.5
_MOST_HUE = 8.0  # of OpenCV's 180
_MOST_NOISE = 10.0
_MOST_BLUR = 1.2


def copy_paste(target: TrainingPair, donor: TrainingPair, catalog: Catalog, rng: np.random.Generator) -> TrainingPair:
    """The target with some of the donor's objects, each at its own height, moved a little sideways.

    As in Ghiasi et al. 2021, but without scaling: the height at which an object stands says how large it is.
    """
    ids = _whole_objects(donor)
    if not ids.size:
        return target
    count = min(int(rng.integers(1, _MOST_PASTED + 1)), ids.size)
    labels, instances, image = target.labels.copy(), target.instances.copy(), target.image.copy()
    width = labels.shape[1]
    for instance_id in rng.permutation(ids)[:count].tolist():
        rows, columns = np.nonzero(donor.instances == instance_id)
        shift = int(rng.integers(-int(width * _FARTHEST_SHIFT), int(width * _FARTHEST_SHIFT) + 1))
        inside = (columns + shift >= 0) & (columns + shift < width)
        rows, columns = rows[inside], columns[inside]
        image[rows, columns + shift] = donor.image[rows, columns]
        labels[rows, columns + shift] = catalog.channel_of[instance_id // INSTANCES_PER_CLASS]
        instances[rows, columns + shift] = instance_id
    return TrainingPair(labels, instances, image)


def has_objects(pair: TrainingPair) -> bool:
    """Whether there is anything in it to paste elsewhere."""
    return bool(_whole_objects(pair).size)


def photometric(image: Image, rng: np.random.Generator) -> Image:
    """Another exposure of the same picture: gamma, contrast, brightness, saturation, hue, blur and noise."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-_MOST_HUE, _MOST_HUE)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * (1 + rng.uniform(-_MOST_SATURATION, _MOST_SATURATION)), 0, 255)
    pixels = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32)
    pixels = 255 * (pixels / 255) ** np.exp(rng.uniform(-_MOST_GAMMA, _MOST_GAMMA))
    contrast, brightness = 1 + rng.uniform(-_MOST_CONTRAST, _MOST_CONTRAST), rng.uniform(-1, 1) * _MOST_BRIGHTNESS
    pixels = (pixels - 127.5) * contrast + 127.5 + brightness
    if rng.random() < 0.3:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.2, _MOST_BLUR))
    pixels = pixels + rng.normal(0, rng.uniform(0, _MOST_NOISE), pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _whole_objects(pair: TrainingPair) -> npt.NDArray[np.int64]:
    ids, areas = np.unique(pair.instances, return_counts=True)
    large = (ids >= INSTANCES_PER_CLASS) & (areas >= _LEAST_AREA * pair.instances.size)
    return ids[large].astype(np.int64)
