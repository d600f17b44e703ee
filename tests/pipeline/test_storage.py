"""Files are whole or not there, exclusive creation has one winner, and refusals say what and where."""

import errno
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from pipeline import storage_faults
from pipeline.errors import MissingFileError, StorageError
from pipeline.storage import Store, StoredFile


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path: Path) -> Store:
    return Store(str(tmp_path / "root") if request.param == "local" else f"memory://{uuid4().hex}/root")


def test_what_was_written_is_read_back_whole_or_in_part(store):
    store.write_atomic("shards/a.tar", b"0123456789")
    assert store.read("shards/a.tar") == b"0123456789"
    assert store.read_range("shards/a.tar", 2, 5) == b"234"
    assert store.size("shards/a.tar") == 10
    with store.open_read("shards/a.tar") as file:
        file.seek(7)
        assert file.read() == b"789"


def test_writing_again_replaces(store):
    store.write_atomic("a", b"first, and longer")
    store.write_atomic("a", b"second")
    assert store.read("a") == b"second"


def test_exclusive_creation_has_one_winner(store):
    assert store.create_exclusive("deep/marker.json", b"mine")
    assert not store.create_exclusive("deep/marker.json", b"theirs")
    assert store.read("deep/marker.json") == b"mine"


def test_of_many_at_once_exactly_one_creates(tmp_path):
    store = Store(str(tmp_path))
    start = threading.Barrier(8)

    def attempt(number: int) -> bool:
        start.wait()
        return store.create_exclusive("marker", b"%d" % number * 1000)

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(8)))
    assert won.count(True) == 1
    assert store.read("marker") == b"%d" % won.index(True) * 1000
    assert os.listdir(tmp_path) == ["marker"]


def test_a_listing_is_sorted_relative_and_of_one_folder_only(store):
    for path in ("b/2", "b/1", "bb/3", "a"):
        store.write_atomic(path, path.encode())
    assert store.list() == [StoredFile("a", 1), StoredFile("b/1", 3), StoredFile("b/2", 3), StoredFile("bb/3", 4)]
    assert store.list("b") == [StoredFile("b/1", 3), StoredFile("b/2", 3)]
    assert store.list("b/1") == []
    assert store.list("nothing/here") == []


def test_a_listing_sees_what_others_wrote_since(store):
    assert store.list() == []
    pickle.loads(pickle.dumps(store)).write_atomic("late", b"1")
    assert store.list() == [StoredFile("late", 1)]


def test_a_folder_is_no_file(store):
    store.write_atomic("folder/file", b"1")
    assert store.exists("folder/file")
    assert not store.exists("folder")
    assert not store.exists("other")


def test_a_root_is_there_once_it_holds_a_file(store):
    assert not store.root_exists()
    store.write_atomic("deep/file", b"1")
    assert store.root_exists()


def test_deleting_what_is_not_there_is_no_error(store):
    store.write_atomic("a", b"1")
    store.delete("a")
    store.delete("a")
    assert not store.exists("a")


def test_a_missing_file_is_named(store):
    with pytest.raises(MissingFileError) as caught:
        store.read("no/such")
    assert str(caught.value) == f"{store.url}/no/such: cannot read: no such file, folder or bucket"


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/etc/passwd", "", "a\\b", "a\0b"])
def test_paths_that_leave_the_root_are_refused(store, path):
    with pytest.raises(ValueError, match="is not a path inside"):
        store.write_atomic(path, b"1")


def test_a_relative_root_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store("here")
    store.write_atomic("a", b"1")
    monkeypatch.chdir("/")
    assert store.read("a") == b"1"
    assert store.place("a") == "here/a"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing):
    store = Store(str(tmp_path))
    store.write_atomic("a", b"old")

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(StorageError) as caught:
        store.write_atomic("a", b"new")
    monkeypatch.undo()
    assert str(caught.value) == f"{tmp_path}/a: cannot write: no space left on the device"
    assert store.read("a") == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_leftovers_of_a_killed_writer_are_not_listed(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    monkeypatch.setattr(os, "unlink", lambda _path: None)  # as if the process had gone before it cleaned up
    store.create_exclusive("marker", b"1")
    assert len(os.listdir(tmp_path)) == 2
    assert store.list() == [StoredFile("marker", 1)]


def test_check_writable_leaves_nothing_behind(store):
    store.check_writable()
    assert store.list() == []


def test_a_root_inside_a_file_is_not_writable(tmp_path):
    (tmp_path / "file").write_text("")
    store = Store(str(tmp_path / "file" / "root"))
    with pytest.raises(StorageError, match=r"^.*/file/root: cannot write: .*Not a directory"):
        store.check_writable()


def test_a_root_that_is_a_file_is_no_lost_race(tmp_path):
    (tmp_path / "root").write_text("")
    with pytest.raises(StorageError, match="is a file, not a folder"):
        Store(str(tmp_path / "root")).create_exclusive("marker", b"1")


def test_storage_that_overwrites_on_exclusive_creation_is_refused(monkeypatch):
    store = Store("memory://overwriting")
    overwrite = type(store._fs).pipe_file
    monkeypatch.setattr(type(store._fs), "pipe_file", lambda fs, path, data, mode="": overwrite(fs, path, data))
    with pytest.raises(StorageError) as caught:
        store.check_writable()
    assert str(caught.value) == "memory://overwriting: exclusive creation overwrites here; use other storage"


def test_a_refused_put_that_looks_like_an_invalid_argument_means_somebody_was_first(monkeypatch):
    store = Store("memory://einval")

    def refuse(fs, path, data, mode="overwrite"):
        raise OSError(errno.EINVAL, "PreconditionFailed")

    store.write_atomic("there", b"1")
    monkeypatch.setattr(type(store._fs), "pipe_file", refuse)
    assert not store.create_exclusive("there", b"2")
    with pytest.raises(StorageError, match="cannot create"):
        store.create_exclusive("not-there", b"2")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NoCredentialsError", "no credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("EndpointConnectionError", "the storage server does not answer (http://s3)"),
        ("SomethingNew", "http://s3"),
    ],
)
def test_a_backends_own_exceptions_become_one_clear_error(monkeypatch, name, reason):
    monkeypatch.setattr(storage_faults, "_FIRST_WAIT_S", 0.0)
    store = Store("memory://foreign")

    def fail(*_args, **_options):
        raise type(name, (Exception,), {})("http://s3")

    monkeypatch.setattr(type(store._fs), "pipe_file", fail)
    with pytest.raises(StorageError) as caught:
        store.write_atomic("a", b"1")
    assert str(caught.value) == f"memory://foreign/a: cannot write: {reason}"


def test_an_unknown_protocol_is_named():
    with pytest.raises(StorageError) as caught:
        Store("s4://bucket")
    assert str(caught.value) == "s4://bucket: Protocol not known: s4"


def test_fsspec_sees_the_same_files(tmp_path):
    Store(f"file://{tmp_path}/root").write_atomic("a/b", b"1")
    with fsspec.open(f"{tmp_path}/root/a/b") as file:
        assert file.read() == b"1"


def test_a_writer_killed_at_any_moment_leaves_one_whole_file(tmp_path):
    program = (
        "import sys; from pipeline.storage import Store; store = Store(sys.argv[1])\n"
        "while True:\n    for letter in b'ab': store.write_atomic('file', bytes([letter]) * 3_000_000)\n"
    )
    store = Store(str(tmp_path))
    for delay_s in (0.0, 0.013, 0.029):
        writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=Path(__file__).parents[2])
        while writer.poll() is None and not store.exists("file"):
            time.sleep(0.01)
        time.sleep(delay_s)
        writer.kill()
        writer.wait()
        assert store.read("file") in (b"a" * 3_000_000, b"b" * 3_000_000)
        assert store.list() == [StoredFile("file", 3_000_000)]
        store.delete("file")
