import pickle

import pytest

from orchestration.mailbox import Mailbox
from orchestration.training import Worker, _pickled


def test_reports_come_out_once_and_in_order() -> None:
    mailbox = Mailbox()
    mailbox.post([{"step": 1}])
    mailbox.post([{"step": 2}, {"step": 3}])
    assert [report["step"] for report in mailbox.drain()] == [1, 2, 3]
    assert mailbox.drain() == []


def test_the_wish_to_stop_comes_back_with_the_next_report() -> None:
    mailbox = Mailbox()
    assert mailbox.post([]) is False
    mailbox.stop()
    assert mailbox.post([]) is True


def test_the_first_failure_is_the_one_that_counts() -> None:
    mailbox = Mailbox()
    mailbox.fail(b"first")
    mailbox.fail(b"its echo")
    assert mailbox.failure() == b"first"


def test_errors_travel_as_they_were_raised() -> None:
    error = pickle.loads(_pickled(KeyError("car")))
    assert (type(error), error.args) == (KeyError, ("car",))


def test_errors_that_do_not_travel_keep_their_words() -> None:
    class LocalError(Exception):
        pass

    error = pickle.loads(_pickled(LocalError("a pixel is missing")))
    assert (type(error), str(error)) == (RuntimeError, "LocalError: a pixel is missing")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_without_a_driver_is_silent(rank: int) -> None:
    worker = Worker(rank=rank, world_size=2)
    worker.report({"step": 1})
    assert worker.should_stop() is False
