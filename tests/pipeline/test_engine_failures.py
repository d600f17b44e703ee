"""What the engine reports reaches a user in words, from whatever command it was at work for."""

import pytest

from orchestration.failures import EngineFailed, Failure, NoRoom, TooManyQuarantined
from pipeline.engine_failures import in_words
from pipeline.errors import RunError, StorageError
from pipeline.instance_banks import build_bank
from pipeline.sources.check import check_source, on_cluster
from pipeline.sources.streetscapes import StreetscapesConfig


def as_failed(error: Exception) -> Exception:
    return Failure.of("check", "check[0]", error).as_exception()


def told(error: Exception) -> Exception:
    with pytest.raises(Exception) as caught, in_words("try again"):  # noqa: PT011
        raise error
    return caught.value


def test_what_a_worker_was_refused_is_raised_itself():
    refused = told(as_failed(StorageError("s3://team: no credentials")))
    assert (type(refused), str(refused)) == (StorageError, "s3://team: no credentials")


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (EngineFailed("workers die"), RunError, "workers die; try again"),
        (
            TooManyQuarantined("9 rows killed their workers; 8 are borne"),
            RunError,
            "9 rows killed their workers; 8 are borne by on_error.max_fraction; is there memory enough for one sample?",
        ),
        (
            as_failed(TimeoutError("no answer")),
            StorageError,
            "stage check failed on shard check[0]: TimeoutError: no answer; try again",
        ),
        (
            as_failed(MemoryError("1 GB")),
            RunError,
            "stage check failed on shard check[0]: MemoryError: 1 GB; no memory left on a worker; give it more, and "
            "try again",
        ),
    ],
)
def test_every_failure_says_what_to_do(error, kind, said):
    failed = told(error)
    assert (type(failed), str(failed)) == (kind, said)


def test_a_bug_on_a_worker_stays_a_bug():
    error = as_failed(ZeroDivisionError("division by zero"))
    assert told(error) is error


FAILURES = [
    (EngineFailed("workers die"), "workers die; run the same command again"),
    (NoRoom("the stages need 8 CPUs; ask for fewer workers"), "the stages need 8 CPUs; ask for fewer workers"),
    (as_failed(StorageError("s3://team: gone away")), "s3://team: gone away"),
]


def failing_with(error):
    def map_parallel(make, items, cluster, name):
        yield from ()
        raise error

    return map_parallel


@pytest.mark.parametrize(("error", "said"), FAILURES)
def test_a_bank_that_is_built_on_a_cluster_fails_in_words(monkeypatch, error, said):
    monkeypatch.setattr("pipeline.instance_banks.map_parallel", failing_with(error))
    with pytest.raises((RunError, StorageError)) as failed:
        build_bank(StreetscapesConfig(scenes=2).open(), cluster="a cluster")
    assert str(failed.value) == said


@pytest.mark.parametrize(("error", "said"), FAILURES)
def test_a_source_that_is_checked_on_a_cluster_fails_in_words(monkeypatch, error, said):
    monkeypatch.setattr("orchestration.cluster.connect", lambda address: f"cluster at {address}")
    monkeypatch.setattr("orchestration.parallel.map_parallel", failing_with(error))
    with pytest.raises((RunError, StorageError)) as failed:
        check_source(StreetscapesConfig(scenes=2).open(), examined=on_cluster("ray://head"))
    assert str(failed.value) == said
