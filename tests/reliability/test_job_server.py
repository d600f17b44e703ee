"""`synthgen submit` against a real job server: followed, stopped, and sent again it goes on where it stopped."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.soak]

ROOT = Path(__file__).parents[2]
OWN = ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN")
RECIPE = """\
name: submitted
source: {{format: streetscapes, scenes: 8, seed: 3}}
model: {model}
output: {{root: {root}, samples_per_shard: 4, image: {{format: png}}}}
samples: 4000
seed: 7
edits:
  - {{op: swap_class, from: vegetation, to: building, probability: 0.5}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Head:
    """A cluster of one node with a job server, and the environment of those who may use it."""

    url: str
    environment: dict[str, str]
    metrics_port: int

    def synthgen(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments],
            env=self.environment,
            cwd=ROOT,
            text=True,
            capture_output=True,
            check=False,
            timeout=timeout,
        )

    def submit(self, *arguments: str, action: str = "run", follow: bool = True, **how: Any) -> dict[str, Any]:
        following = ["--follow" if follow else "--no-follow", "--action", action, "--json"]
        done = self.synthgen("submit", "--address", self.url, *following, "--", *arguments, **how)
        assert done.stdout, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    """`ray start --head --block` in a session of its own, on free ports of the loopback, with token authentication."""
    folder = tempfile.mkdtemp(prefix="sgjobs")  # short: sockets lie below it
    bin_folder = Path(folder) / "bin"
    bin_folder.mkdir()
    (bin_folder / "synthgen").write_text(f'#!/bin/sh\nexec {sys.executable} -m pipeline.cli "$@"\n')
    (bin_folder / "synthgen").chmod(0o755)
    environment = {
        **{name: value for name, value in os.environ.items() if name not in OWN},
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    port, metrics_port = free_port(), free_port()
    options = {
        "--port": free_port(),
        "--dashboard-port": port,
        "--ray-client-server-port": free_port(),
        "--metrics-export-port": metrics_port,
        "--node-ip-address": "127.0.0.1",
        "--dashboard-host": "127.0.0.1",
        "--temp-dir": f"{folder}/ray",
        "--num-cpus": 2,
    }
    ray = Path(sys.executable).parent / "ray"
    command = [str(ray), "start", "--head", "--block", *(f"{name}={value}" for name, value in options.items())]
    log = open(f"{folder}/head.log", "w")  # noqa: SIM115
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    served = Head(f"http://127.0.0.1:{port}", environment, metrics_port)
    try:
        wait_until(lambda: answers(served), 240, process)
        yield served
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # everything that it started is in its session
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def answers(head: Head) -> bool:
    token = head.environment["RAY_AUTH_TOKEN"]
    request = urllib.request.Request(f"{head.url}/api/jobs/", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until(holds: Callable[[], bool], seconds: float, process: subprocess.Popen[Any] | None = None) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert process is None or process.poll() is None, "the head ended"
        assert time.monotonic() < deadline
        time.sleep(0.2)


def markers(root: Path) -> set[str]:
    return {path.stem for path in root.glob(".synthgen/commits/*.json")}


@pytest.fixture
def recipe(tmp_path, tiny_model) -> Path:
    path = tmp_path / "submitted.yaml"
    path.write_text(RECIPE.format(model=tiny_model, root=tmp_path / "out"))
    return path


def test_a_job_is_followed_stopped_and_sent_again_goes_on(head, recipe, tmp_path):
    command, root = ("augment", "--recipe", str(recipe)), tmp_path / "out"
    first = head.submit(*command, follow=False)
    wait_until(lambda: len(markers(root)) >= 3, 240)
    assert head.submit(*command, action="status")["status"] == "RUNNING"
    assert head.submit(*command, follow=False)["job"] == first["job"]  # at work: not started twice
    assert head.submit(*command, action="stop") == {"job": first["job"], "status": "STOPPED"}
    there = {path: path.stat().st_mtime_ns for path in root.glob(".synthgen/commits/*.json")}
    assert 0 < len(there) < 1000
    second = head.submit(*command, follow=False)
    assert second["job"] == first["job"].removesuffix("-1") + "-2"
    wait_until(lambda: len(markers(root)) >= len(there) + 3, 240)
    assert head.submit(*command, action="status")["status"] == "RUNNING"
    assert all(path.stat().st_mtime_ns == when for path, when in there.items())
    head.submit(*command, action="stop")


def test_the_log_of_a_job_is_shown_and_its_result_is_the_exit_code(head, recipe, tmp_path):
    done = head.synthgen(
        "submit", "--address", head.url, "--", "augment", "--recipe", str(recipe), "--set", "samples=8"
    )
    assert done.returncode == 0, done.stderr
    assert "8 samples in 2 shards" in done.stderr
    assert done.stdout.endswith(": succeeded\n")
    failed = head.synthgen("submit", "--address", head.url, "--", "augment", "--recipe", f"{tmp_path}/none.yaml")
    assert failed.returncode == 1
    assert "none.yaml" in failed.stderr
    assert failed.stdout.endswith(": failed\n")


def test_without_the_token_the_server_refuses_in_one_line(head, recipe):
    environment = {k: v for k, v in head.environment.items() if k != "RAY_AUTH_TOKEN"} | {"RAY_AUTH_TOKEN": "0" * 64}
    stranger = Head(head.url, environment, 0)
    refused = stranger.synthgen("submit", "--address", head.url, "--", "augment", "--recipe", str(recipe))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: {head.url}: ")
    assert len(refused.stderr.splitlines()) == 1
    assert head.environment["RAY_AUTH_TOKEN"] not in refused.stderr


def test_a_run_shows_at_rays_own_metrics_endpoint(head, recipe, tmp_path):
    command, root = ("augment", "--recipe", str(recipe), "--set", f"output.root={tmp_path / 'measured'}"), tmp_path
    head.submit(*command, follow=False)
    names = ("samples_total", "shards_total", "bytes_total", "stage_seconds_total", "shards_in_flight", "workers")
    wanted = [f"ray_synthgen_{name}{{" for name in names]
    wanted += ['recipe="submitted"', 'stage="edit"', 'stage="render"', 'stage="commit"']
    seen: set[str] = set()  # over several looks: Ray reports a driver's meters now and then, not all together

    def sees_all() -> bool:
        text = scrape(head)
        seen.update(each for each in wanted if each in text)
        return seen == set(wanted)

    try:
        wait_until(lambda: len(markers(root / "measured")) >= 3, 240)
        wait_until(sees_all, 90)
    finally:
        head.submit(*command, action="stop")


def scrape(head: Head) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{head.metrics_port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())
