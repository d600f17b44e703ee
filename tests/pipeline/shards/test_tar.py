import io
import tarfile

import pytest

from pipeline.shards.tar import build_tar, read_samples, read_tar

SAMPLES = [("b", {"png": b"1", "json": b"{}"}), ("a-b", {"png": b"2"}), ("a", {"seg.png": b"3" * 600, "png": b"4"})]


def test_the_same_samples_in_any_order_give_the_same_bytes():
    assert build_tar(SAMPLES) == build_tar(reversed(SAMPLES))


def test_members_have_fixed_times_owners_and_modes_in_ustar():
    data = build_tar(SAMPLES)
    assert data[257:263] == b"ustar\0"
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        said = {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode, m.type) for m in tar.getmembers()}
    assert said == {(0, 0, 0, "", "", 0o444, tarfile.REGTYPE)}


def test_samples_are_together_and_sorted():
    assert [key for key, _ in read_samples(build_tar(SAMPLES))] == ["a", "a-b", "b"]
    assert dict(read_samples(build_tar(SAMPLES))) == dict(SAMPLES)


def test_a_field_may_hold_dots():
    assert [member.field for member in read_tar(build_tar(SAMPLES))][:2] == ["png", "seg.png"]


def test_links_in_a_tar_are_refused():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        link = tarfile.TarInfo("a.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(ValueError, match=r"^member 'a\.png' is not a plain file$"):
        list(read_tar(buffer.getvalue()))


def test_a_tar_cut_within_a_member_is_an_error():
    with pytest.raises((tarfile.TarError, OSError, ValueError)):
        list(read_tar(build_tar(SAMPLES)[:900]))
