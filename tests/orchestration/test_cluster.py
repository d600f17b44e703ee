"""What an autoscaler is asked for on behalf of a run."""

import pytest

from orchestration.cluster import ClusterInfo, Room, asking_for

GROWING = ClusterInfo("ray://head", False, 1, 0.0, 0.0)
WORKERS = [Room(1.0, 0.0), Room(0.0, 1.0)]


@pytest.fixture
def asked(monkeypatch):
    """Every request, as the list of its bundles."""
    requests = []
    monkeypatch.setattr("ray.autoscaler.sdk.request_resources", lambda bundles: requests.append(bundles))
    return requests


def test_room_is_asked_for_by_the_hungriest_and_given_back(asked):
    with asking_for(WORKERS, GROWING, most=3):
        assert asked == [[{"GPU": 1.0}] * 3]
    assert asked[1:] == [[]]


def test_the_request_shrinks_with_what_is_left_and_never_grows(asked):
    with asking_for(WORKERS, GROWING, most=2000) as ask_for_less:
        for left in (2000, 1001, 3, 3, 5, 2, 0):
            ask_for_less(left)
    assert [len(bundles) for bundles in asked] == [1000, 3, 2, 0, 0]


def test_an_embedded_ray_is_asked_nothing(asked):
    with asking_for(WORKERS, ClusterInfo("local", True, 1, 2.0, 0.0), most=3) as ask_for_less:
        ask_for_less(1)
    assert asked == []


def test_a_request_that_cannot_be_cleared_hides_no_error_of_the_run(monkeypatch, caplog):
    def refuse_to_clear(bundles):
        if not bundles:
            raise RuntimeError("Ray is not initialized yet")

    monkeypatch.setattr("ray.autoscaler.sdk.request_resources", refuse_to_clear)
    with pytest.raises(KeyError, match="of the run"), asking_for(WORKERS, GROWING, most=3):
        raise KeyError("of the run")
    assert [record.getMessage() for record in caplog.records] == [
        "the autoscaler may still be asked for workers, docs/cluster.md says how to clear it: "
        "Ray is not initialized yet"
    ]
