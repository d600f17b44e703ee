"""A share of all calls to a real S3 server fails, in every way: the run finishes or is resumed, never a wrong byte."""

import pytest

from pipeline import storage_faults
from pipeline.errors import SynthgenError
from pipeline.storage import Store
from tests.reliability.object_store.fault_proxy import KINDS, Faults, broken_calls
from tests.reliability.object_store.gateway import keys_of
from tests.reliability.tiny_run import contents

pytestmark = pytest.mark.soak

_LONGEST_WAIT_FOR_AN_ANSWER_S = 1
_MOST_RUNS = 20


@pytest.fixture
def through_proxy(sign_in, proxy, monkeypatch):
    """The same keys and server, by way of the proxy; waits as usual, only shorter."""
    sign_in(*keys_of("owner"), proxy.endpoint, read_timeout=_LONGEST_WAIT_FOR_AN_ANSWER_S)
    monkeypatch.setattr(storage_faults, "_FIRST_WAIT_S", 0.02)
    return proxy


@pytest.mark.parametrize("share", [0.05, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_a_run_ends_with_the_right_bytes_however_its_calls_fail(
    share, seed, bucket, through_proxy, augment, pristine, sign_in
):
    store, failed = f"s3://{bucket}/run", []
    with broken_calls(through_proxy, Faults(share, seed)) as faults:
        for _ in range(_MOST_RUNS):
            try:
                augment(store)
                break
            except SynthgenError as error:
                failed.append(str(error))
        else:
            pytest.fail(f"{_MOST_RUNS} runs failed: {faults.happened}")
    print(f"{faults.calls} calls, {sum(faults.happened.values())} broken, {len(failed)} runs failed and were resumed")
    assert not any("secret-of" in message for message in failed)
    assert sum(faults.happened.values()) > faults.calls * share / 3
    sign_in(*keys_of("owner"))
    assert contents(Store(store)) == contents(Store(str(pristine)))


@pytest.mark.parametrize("kind", KINDS)
def test_an_operation_survives_each_kind_of_failure_and_is_done_once(kind, bucket, through_proxy):
    store = Store(f"s3://{bucket}/x")
    for number in range(2):
        with broken_calls(through_proxy, Faults(0.4, number, (kind,))):
            store.write_atomic("a", b"0123456789")
            assert store.read("a") == b"0123456789"
            assert store.create_exclusive(f"marker-{number}", b"mine")
            assert not store.create_exclusive(f"marker-{number}", b"yours")
            assert store.read(f"marker-{number}") == b"mine"
            assert store.size("a") == 10
            assert store.list()[0].path == "a"


@pytest.mark.parametrize("kind", ["no answer", "stalled read"])
def test_a_call_that_gets_no_answer_ends(kind, bucket, through_proxy, monkeypatch):
    monkeypatch.setattr(storage_faults, "ATTEMPTS", 1)
    store = Store(f"s3://{bucket}/x")
    store.write_atomic("a", b"0123456789" * 1000)
    with broken_calls(through_proxy, Faults(1.0, 0, (kind,))), pytest.raises(SynthgenError):
        store.read("a")


def test_what_is_left_of_a_large_upload_that_fails_is_aborted(bucket, through_proxy, server, monkeypatch):
    monkeypatch.setattr(storage_faults, "ATTEMPTS", 2)
    store, data = Store(f"s3://{bucket}/large"), bytes(range(256)) * 4096 * 130
    third_part = Faults(1.0, 0, ("internal error",), lambda _method, target: "partNumber=3" in target)
    with broken_calls(through_proxy, third_part), pytest.raises(SynthgenError, match="cannot write"):
        store.write_atomic("shard.tar", data)
    assert third_part.happened["internal error"] >= 2
    assert not store.exists("shard.tar")
    assert server.client().list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_a_bucket_of_another_region_is_told(bucket, through_proxy):
    with broken_calls(through_proxy, Faults(1.0, 0, ("other region",))), pytest.raises(SynthgenError) as caught:
        Store(f"s3://{bucket}/x").check_writable()
    assert str(caught.value) == (
        f"s3://{bucket}/x: cannot write: the bucket is in another region; set AWS_DEFAULT_REGION, or the endpoint, to "
        "its own"
    )
