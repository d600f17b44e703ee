"""The server dies of SIGKILL under a run and comes back: the run finishes, or stops in words and is resumed."""

import random
import threading
import time

import pytest

from pipeline.errors import SynthgenError
from pipeline.storage import Store
from tests.reliability.object_store.conftest import new_bucket, started
from tests.reliability.tiny_run import contents

pytestmark = pytest.mark.soak

SAMPLES = 24
KILL_AFTER_SHARDS = (2, 5, 8)
_MOST_RUNS = 10


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One of its own, that keeps its data."""
    yield from started(tmp_path_factory.mktemp("durable"), durable=True)


def test_a_run_survives_three_deaths_of_its_server(server, sign_in, augment, tmp_path, monkeypatch):
    undisturbed = contents(augment(str(tmp_path / "undisturbed"), SAMPLES))
    url, rng = f"s3://{new_bucket(server)}/run", random.Random(0)
    marked, honest = threading.Semaphore(0), Store.create_exclusive

    def create_exclusive(self: Store, path: str, data: bytes) -> bool:
        created = honest(self, path, data)
        if created and "commits" in path:
            marked.release()
        return created

    monkeypatch.setattr(Store, "create_exclusive", create_exclusive)
    failures: list[str] = []

    def run() -> None:
        while len(failures) < _MOST_RUNS:
            try:
                augment(url, SAMPLES)
            except SynthgenError as error:
                failures.append(str(error))
            else:
                return

    running = threading.Thread(target=run)
    running.start()
    done = 0
    for shards in KILL_AFTER_SHARDS:
        for _ in range(shards - done):
            assert marked.acquire(timeout=300), failures
        done = shards
        time.sleep(rng.uniform(0, 0.2))
        assert running.is_alive()
        server.kill()
        server.start_again()
    running.join(300)
    assert not running.is_alive()
    print(f"runs that failed and were resumed: {failures}")
    assert contents(Store(url)) == undisturbed
