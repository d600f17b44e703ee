"""Names for clusters: given by hand, or by what most of their regions have in common."""

from collections.abc import Sequence
from dataclasses import replace

from label_editing.catalog import Catalog
from label_editing.names import unknown_name
from pipeline.styles.bank import WHOLE_IMAGE, Cluster, StyleBank

IMAGE = "image"  # what looks of whole images are called where a class is asked for


def tag_cluster(bank: StyleBank, catalog: Catalog, class_name: str, number: int, tags: Sequence[str]) -> StyleBank:
    """The bank with these tags, and no others, on one cluster; ValueError where there is none such."""
    whole = class_name == IMAGE and WHOLE_IMAGE in bank.by_class
    class_id = WHOLE_IMAGE if whole else catalog.named(class_name).id
    if class_id not in bank.by_class and WHOLE_IMAGE in bank.by_class:
        raise ValueError(f"this model has looks of whole images only; tag {IMAGE!r} instead of {class_name!r}")
    known = [cluster.number for cluster in bank.by_class.get(class_id, ())]
    if number not in known:
        raise ValueError(f"{class_name} has no cluster {number}; it has {len(known)}, counted from 0")
    return bank.tagged(class_id, number, tags)


def tag_by_attribute(bank: StyleBank, attribute: str, share: float) -> StyleBank:
    """Every cluster tagged with the value that at least this share of its regions have; other tags stay."""
    values = bank.attribute_values()
    if attribute not in values:
        raise ValueError(unknown_name("attribute", attribute, values))
    of_attribute = set(values[attribute])
    return replace(bank, clusters=tuple(_tagged(c, attribute, of_attribute, share) for c in bank.clusters))


def _tagged(cluster: Cluster, attribute: str, values: set[str], share: float) -> Cluster:
    counts = cluster.attributes.get(attribute, {})
    # Tagging again by the same attribute replaces what it said before.
    tags = set(cluster.tags) - values
    tags |= {value for value, times in counts.items() if times >= share * cluster.size}
    return replace(cluster, tags=tuple(sorted(tags)))
