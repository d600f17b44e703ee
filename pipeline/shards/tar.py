"""Tar bytes from samples: the same bytes from the same samples, on any machine at any time."""

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple


class Member(NamedTuple):
    """One file of a sample: `<key>.<field>`, where a field may hold dots (`seg.png`)."""

    key: str
    field: str
    data: bytes


def build_tar(samples: Iterable[tuple[str, Mapping[str, bytes]]]) -> bytes:
    """A USTAR archive of the samples, sorted by key and field, with fixed times, owners and modes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for key, fields in sorted(samples, key=lambda sample: sample[0]):
            for field in sorted(fields):
                info = tarfile.TarInfo(f"{key}.{field}")
                info.size = len(fields[field])
                info.mode = 0o444
                tar.addfile(info, io.BytesIO(fields[field]))
    return buffer.getvalue()


def read_tar(data: bytes) -> Iterator[Member]:
    """The members in order. ValueError where the archive is cut short or holds anything but plain files."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for info in tar:
                file = tar.extractfile(info) if info.isreg() else None
                if file is None:
                    raise ValueError(f"member {info.name!r} is not a plain file")
                key, _, field = info.name.partition(".")
                yield Member(key, field, file.read())
    except (tarfile.TarError, OverflowError) as error:
        raise ValueError(f"no whole tar: {error}") from None


def read_samples(data: bytes) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The samples in order: runs of members with one key, as every WebDataset reader groups them."""
    key: str | None = None
    fields: dict[str, bytes] = {}
    for member in read_tar(data):
        if member.key != key and key is not None:
            yield key, fields
            fields = {}
        key = member.key
        fields[member.field] = member.data
    if key is not None:
        yield key, fields
