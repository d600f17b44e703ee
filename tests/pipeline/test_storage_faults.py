"""Failures that pass are waited for, others are told at once and in words that help."""

import errno
import re

import pytest

from pipeline import storage_faults
from pipeline.errors import MissingFileError, StorageError
from pipeline.storage import Store
from pipeline.storage_faults import ATTEMPTS, is_passing, reason, retried


def s3_error(code: str, raised: type[OSError] = OSError, number: int = errno.EIO) -> OSError:
    """As s3fs raises it: an OSError whose cause carries the answer of the server."""
    cause = type("ClientError", (Exception,), {"response": {"Error": {"Code": code}}})(code)
    error = raised(number, code)
    error.__cause__ = cause
    return error


def named(name: str) -> Exception:
    return type(name, (Exception,), {})("http://s3")


class Flaky:
    """Fails so often before it succeeds."""

    def __init__(self, *failures: Exception):
        self.failures, self.calls = list(failures), 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


PASSING = [
    s3_error("SlowDown"),
    s3_error("InternalError"),
    s3_error("503"),
    TimeoutError(),
    ConnectionResetError(),
    named("ReadTimeoutError"),
    named("ClientPayloadError"),
]
LASTING = [
    s3_error("AccessDenied"),
    s3_error("NoSuchKey"),
    FileNotFoundError(),
    ValueError(),
    OSError(errno.ENOSPC, "full"),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_a_failure_that_passes_is_waited_for(error):
    waits: list[float] = []
    flaky = Flaky(error, error)
    assert retried(flaky, waits.append) == "done"
    assert flaky.calls == 3
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1.0


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_a_failure_that_lasts_is_raised_at_once(error):
    flaky = Flaky(error)
    with pytest.raises(type(error)):
        retried(flaky, pytest.fail)
    assert flaky.calls == 1


def test_patience_has_an_end_and_the_last_failure_is_told():
    flaky, waits = Flaky(*[s3_error("SlowDown")] * 10), []
    with pytest.raises(OSError, match="SlowDown"):
        retried(flaky, waits.append)
    assert (flaky.calls, len(waits)) == (ATTEMPTS, ATTEMPTS - 1)
    assert sum(waits) < 10


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            s3_error("InvalidAccessKeyId"),
            "the storage does not know these credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY",
        ),
        (s3_error("AccessDenied"), "these credentials may not do that here"),
        (s3_error("NoSuchBucket"), "there is no such bucket; make it first, or mend its name"),
        (
            s3_error("PermanentRedirect"),
            "the bucket is in another region; set AWS_DEFAULT_REGION, or the endpoint, to its own",
        ),
        (s3_error("QuotaExceeded"), "the quota of the bucket is used up"),
        (OSError(errno.ENOSPC, "x"), "no space left on the device"),
        (KeyError(), "KeyError"),
    ],
    ids=str,
)
def test_a_reason_says_what_to_do(error, said):
    assert reason(error) == said
    assert not is_passing(error)


def test_a_missing_bucket_is_not_a_missing_file(monkeypatch):
    store = Store("memory://bucketless")

    def fail(*_args, **_options):
        raise s3_error("NoSuchBucket", FileNotFoundError, errno.ENOENT)

    monkeypatch.setattr(type(store._fs), "cat_file", fail)
    with pytest.raises(StorageError) as caught:
        store.read("a")
    assert not isinstance(caught.value, MissingFileError)
    assert str(caught.value) == (
        "memory://bucketless/a: cannot read: there is no such bucket; make it first, or mend its name"
    )


def test_every_operation_of_a_remote_store_bears_a_failure_that_passes(monkeypatch):
    monkeypatch.setattr(storage_faults, "_FIRST_WAIT_S", 0.0)
    store = Store("memory://shaky")
    for name in ("pipe_file", "cat_file", "info", "find", "exists", "rm_file"):
        honest, calls = getattr(type(store._fs), name), []

        def shaky(*args, honest=honest, calls=calls, **options):
            calls.append(args)
            if len(calls) == 1:
                raise s3_error("SlowDown")
            return honest(*args, **options)

        monkeypatch.setattr(type(store._fs), name, shaky)
    store.write_atomic("a", b"1234")
    assert store.create_exclusive("b", b"2")
    assert (store.read("a"), store.read_range("a", 1, 3), store.size("a")) == (b"1234", b"23", 4)
    assert (store.exists("a"), store.exists("c"), store.root_exists()) == (True, False, True)
    assert [file.path for file in store.list()] == ["a", "b"]
    store.delete("a")
    assert not store.exists("a")


def test_a_creation_whose_answer_was_lost_is_ours(monkeypatch):
    monkeypatch.setattr(storage_faults, "_FIRST_WAIT_S", 0.0)
    store = Store("memory://lost-answer")
    honest = type(store._fs).pipe_file
    calls: list[str] = []

    def create_then_lose_the_answer(fs, path, data, mode="overwrite"):
        calls.append(path)
        honest(fs, path, data, mode=mode)
        if len(calls) == 1:
            raise ConnectionResetError

    monkeypatch.setattr(type(store._fs), "pipe_file", create_then_lose_the_answer)
    assert store.create_exclusive("lease", b"my token")
    assert len(calls) == 2
    assert not store.create_exclusive("lease", b"their token")


def test_a_password_in_a_url_is_refused_without_repeating_it():
    message = "ftp://...: a URL must not hold a password; give it by the environment or by the configuration of fsspec"
    with pytest.raises(StorageError, match=f"^{re.escape(message)}$"):
        Store("ftp://me:hunter2@host/data")


def test_calls_to_s3_end_and_the_users_own_configuration_stays(monkeypatch):
    import fsspec.config

    own = {"config_kwargs": {"s3": {"addressing_style": "path"}, "read_timeout": 5}}
    monkeypatch.setitem(fsspec.config.conf, "s3", own)
    assert Store("s3://bucket/x")._fs.config_kwargs == {
        "connect_timeout": 10,
        "read_timeout": 5,
        "retries": {"total_max_attempts": 2, "mode": "standard"},
        "s3": {"addressing_style": "path"},
    }
