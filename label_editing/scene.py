"""A scene: one label map with its instances, its catalog, its key and its attributes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.catalog import INSTANCES_PER_CLASS, Catalog

LabelMap = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
InstanceMap = npt.NDArray[np.int32]

_MOST_NAMED = 5  # offending values named in one message


@dataclass(frozen=True)
class Scene:
    """Class ids and instance ids of one view. The arrays are read-only: an edit makes new ones.

    `instances` holds class*1000+k (k in 0..999) on things and the class id elsewhere; a thing pixel that carries its
    bare class id is a group that was never separated. None where the source has no instances.
    """

    labels: LabelMap
    instances: InstanceMap | None
    catalog: Catalog
    key: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _read_only(self.labels))
        if self.instances is not None:
            object.__setattr__(self, "instances", _read_only(self.instances))
        object.__setattr__(self, "attributes", MappingProxyType(dict(self.attributes)))

    def __reduce__(self) -> tuple[Any, ...]:
        # A mapping proxy does not pickle.
        return Scene, (self.labels, self.instances, self.catalog, self.key, dict(self.attributes))

    @property
    def height(self) -> int:
        return int(self.labels.shape[0])

    @property
    def width(self) -> int:
        return int(self.labels.shape[1])

    def with_maps(self, labels: LabelMap, instances: InstanceMap | None) -> "Scene":
        """The same scene with other maps."""
        return replace(self, labels=labels, instances=instances)


def class_of_instance(instance_ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The class of each instance id: the id itself below 1000, id // 1000 from there."""
    if np.iinfo(instance_ids.dtype).max < INSTANCES_PER_CLASS:
        return instance_ids  # bytes: a label map where there are no instances
    return np.where(instance_ids < INSTANCES_PER_CLASS, instance_ids, instance_ids // INSTANCES_PER_CLASS)


def check_scene(scene: Scene) -> None:
    """Raise ValueError where a scene breaks an invariant; run wherever scenes enter."""
    labels, instances, catalog = scene.labels, scene.instances, scene.catalog
    if labels.ndim != 2 or labels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"label map is {labels.dtype} of shape {labels.shape}; expected 2-D uint8 or uint16")
    if labels.size == 0:
        raise ValueError("label map is empty")
    present = _ids_in(labels)
    strange = [int(i) for i in present if i >= len(catalog.known) or not catalog.known[i]]
    if strange:
        raise ValueError(f"label map holds {_some('id', strange)}, no class of catalog {catalog.name}")
    if instances is None:
        return
    if instances.dtype != np.int32:
        raise ValueError(f"instance map is {instances.dtype}; expected int32")
    if instances.shape != labels.shape:
        raise ValueError(
            f"instance map is {instances.shape[1]}x{instances.shape[0]}, label map {labels.shape[1]}x{labels.shape[0]}"
        )
    _check_instances(labels, instances, catalog)


def _check_instances(labels: LabelMap, instances: InstanceMap, catalog: Catalog) -> None:
    if instances.min() < 0:
        raise ValueError(f"instance map holds the negative value {int(instances.min())}")
    differ = class_of_instance(instances) != labels
    if differ.any():
        row, column = np.argwhere(differ)[0]
        raise ValueError(
            f"instance map contradicts the label map at {int(differ.sum())} pixels, first at row {row}, column "
            f"{column}: instance {int(instances[row, column])} on class {int(labels[row, column])}"
        )
    apart = instances >= INSTANCES_PER_CLASS
    if not catalog.is_thing[_ids_in(labels[apart][None])].all():
        ids = np.unique(instances[apart])
        stuff = ids[~catalog.is_thing[ids // INSTANCES_PER_CLASS]].tolist()
        raise ValueError(f"instance map holds {_some('instance', stuff)} of a stuff class")


def _ids_in(labels: LabelMap) -> npt.NDArray[np.intp]:
    """The ids that occur, sorted."""
    if labels.dtype == np.uint8 and labels.size:
        return np.flatnonzero(cv2.calcHist([labels], [0], None, [256], [0, 256]))
    return np.flatnonzero(np.bincount(labels.ravel(), minlength=1))


def _some(what: str, values: list[int]) -> str:
    shown = ", ".join(map(str, values[:_MOST_NAMED]))
    more = f" and {len(values) - _MOST_NAMED} more" if len(values) > _MOST_NAMED else ""
    return f"{what}{'s' if len(values) > 1 else ''} {shown}{more}"


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
