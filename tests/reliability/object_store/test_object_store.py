"""The promises of storage, commit and lease, and a whole run, against a real S3 server."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.augment.lease import hold_lease
from pipeline.augment.repair import repair
from pipeline.augment.status import State, read_status
from pipeline.errors import MissingFileError, RunError, StorageError
from pipeline.shards.check import check_shard, check_whole, read_index
from pipeline.shards.commit import Marker, commit_shard, read_marker, sha256_of
from pipeline.storage import Store

pytestmark = pytest.mark.soak


def message_of(error: pytest.ExceptionInfo[StorageError]) -> str:
    text = str(error.value)
    assert "secret-of" not in text
    return text


def marker_of(tar: bytes) -> Marker:
    digest = sha256_of(b"rows")
    return Marker(
        shard="train-000000",
        plan="p",
        sha256=sha256_of(tar),
        size=len(tar),
        samples=1,
        rows_sha256=digest,
        statistics={},
    )


def test_files_behave_as_on_a_disk(bucket):
    store = Store(f"s3://{bucket}/deep/root")
    store.check_writable()
    assert store.list() == []
    store.write_atomic("a/b", b"0123456789")
    assert (store.read("a/b"), store.read_range("a/b", 2, 5), store.size("a/b")) == (b"0123456789", b"234", 10)
    assert (store.exists("a/b"), store.exists("a"), store.exists("c")) == (True, False, False)
    assert list(store.times("a")) == ["a/b"]
    store.delete("a/b")
    with pytest.raises(MissingFileError):
        store.read("a/b")


def test_of_eight_that_create_at_once_exactly_one_wins(bucket):
    store = Store(f"s3://{bucket}/race")
    for attempt in range(10):
        start = threading.Barrier(8)

        def create(number: int, path=f"marker-{attempt}", start=start) -> bool:
            start.wait()
            return store.create_exclusive(path, b"%d" % number * 100)

        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(create, range(8)))
        assert won.count(True) == 1
        assert store.read(f"marker-{attempt}") == b"%d" % won.index(True) * 100


def test_a_large_file_goes_up_in_parts_and_comes_back_whole(bucket):
    store, data = Store(f"s3://{bucket}/large"), bytes(range(256)) * 4096 * 120
    store.write_atomic("shard.tar", data)
    assert sha256_of(store.read("shard.tar")) == sha256_of(data)


def test_a_shard_is_committed_once(bucket):
    store = Store(f"s3://{bucket}/commit")
    for _ in range(2):
        assert commit_shard(store, marker_of(b"tar"), b"tar", b"rows", lambda: None) == marker_of(b"tar")
    assert read_marker(store, "train-000000") == marker_of(b"tar")


def test_one_run_holds_the_lease_and_the_next_is_refused(bucket):
    store = Store(f"s3://{bucket}/lease")
    with hold_lease(store) as claim:
        claim.check()
        with pytest.raises(RunError, match="another run is at work here"), hold_lease(store):
            pass
    assert store.list() == []


def test_a_whole_run_is_the_same_as_on_a_disk_and_is_repaired_there(bucket, augment, pristine):
    store, local = augment(f"s3://{bucket}/run"), Store(str(pristine))
    same = [file.path for file in local.list() if file.path != "report.html"]
    assert [file.path for file in store.list() if file.path != "report.html"] == same
    assert [path for path in same if store.read(path) != local.read(path)] == []
    assert read_status(store).state is State.COMPLETE
    store.write_atomic("shards/train-000001.tar", store.read("shards/train-000001.tar")[:-7])
    assert repair(store).shards_to_make == 1
    augment(store.url)
    index = read_index(store)
    checks = [check_shard(store, index, shard) for shard in index.shards]
    assert [*(p for check in checks for p in check.problems), *check_whole(store, index, checks)] == []
    assert [path for path in same if store.read(path) != local.read(path)] == []


def test_trainers_read_from_there(bucket, augment):
    import fsspec
    import webdataset as wds

    from pipeline.shards.reader import open_dataset

    store = augment(f"s3://{bucket}/run")
    keys = sorted(sample["key"] for sample in open_dataset(store.url, seed=0))
    assert len(keys) == 6
    filesystem = fsspec.filesystem("s3")
    streams = [
        {"url": path, "stream": filesystem.open(f"{bucket}/run/{path}")}
        for path in (file.path for file in store.list("shards"))
    ]
    samples = wds.tariterators.group_by_keys(wds.tariterators.tar_file_expander(streams))
    assert sorted(sample["__key__"] for sample in samples) == keys


def test_unknown_credentials_are_told_once_and_not_shown(bucket, sign_in):
    sign_in("key-of-nobody", "secret-of-nobody")
    with pytest.raises(StorageError) as caught:
        Store(f"s3://{bucket}/x").check_writable()
    assert message_of(caught) == (
        f"s3://{bucket}/x: cannot write: the storage does not know these credentials; set AWS_PROFILE, or "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )


def test_a_missing_bucket_is_told(sign_in):
    with pytest.raises(StorageError) as caught:
        Store("s3://no-such-bucket/x").check_writable()
    assert message_of(caught) == (
        "s3://no-such-bucket/x: cannot write: there is no such bucket; make it first, or mend its name"
    )


def test_a_bucket_that_may_only_be_read_is_told(server, bucket, sign_in):
    server.add_user("guest")
    server.client().put_bucket_acl(Bucket=bucket, ACL="public-read")
    sign_in("key-of-guest", "secret-of-guest-that-nobody-may-print")
    with pytest.raises(StorageError) as caught:
        Store(f"s3://{bucket}/x").check_writable()
    assert message_of(caught) == f"s3://{bucket}/x: cannot write: these credentials may not do that here"


def test_a_server_that_is_away_is_told(sign_in, monkeypatch):
    import fsspec.config

    from pipeline import storage_faults

    monkeypatch.setattr(storage_faults, "ATTEMPTS", 2)
    monkeypatch.setitem(fsspec.config.conf["s3"], "endpoint_url", "http://127.0.0.1:9")
    with pytest.raises(StorageError) as caught:
        Store("s3://bucket/x").check_writable()
    assert re.match(r"s3://bucket/x: cannot write: the storage server does not answer \(", message_of(caught))


def test_a_bucket_that_is_full_is_told(bucket, server):
    server.limit_bucket(bucket, 100_000)
    store = Store(f"s3://{bucket}/x")
    store.write_atomic("a", b"0" * 60_000)
    with pytest.raises(StorageError) as caught:
        store.write_atomic("b", b"0" * 60_000)
    assert message_of(caught) == f"s3://{bucket}/x/b: cannot write: the quota of the bucket is used up"
