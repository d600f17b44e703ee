"""What this machine has for synthgen, and what to do about what it lacks."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pipeline.errors import SynthgenError
from pipeline.storage import Store

_LEAST_MEMORY_GB = 4.0
_LEAST_DISK_GB = 5.0


class Health(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    WARN = "warn"  # works, but slowly or not for everything
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `todo` is what to do when it is not well."""

    what: str
    health: Health
    found: str
    todo: str = ""

    def as_data(self) -> dict[str, Any]:
        return {"what": self.what, "health": self.health.value, "found": self.found, "todo": self.todo}


def examine(urls: Sequence[str]) -> Iterator[Finding]:
    """Every finding, as it is made; `urls` are places whose storage is to be tried."""
    checks: list[Callable[[], Finding]] = [_python, _torch, _device, _ray, _memory, _disk]
    for check in checks:
        yield check()
    for url in urls:
        yield _storage(url)


def _python() -> Finding:
    return Finding("Python", Health.OK, f"{sys.version.split()[0]} at {sys.executable}")


def _torch() -> Finding:
    try:
        import torch
    except ImportError as error:
        return Finding("torch", Health.FAIL, str(error), "install torch: pip install torch==2.13.0, or your CUDA build")
    return Finding("torch", Health.OK, f"{torch.__version__}, {torch.get_num_threads()} threads")


def _device() -> Finding:
    try:
        import torch
    except ImportError:
        return Finding("devices", Health.FAIL, "unknown without torch", "install torch first")
    if not torch.cuda.is_available():
        todo = "fine for small models; with an NVIDIA GPU here, install the torch build for its CUDA version"
        return Finding("devices", Health.WARN, f"no GPU; {os.cpu_count()} CPUs", todo)
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return Finding("devices", Health.OK, ", ".join(names))


def _ray() -> Finding:
    try:
        found = version("ray")
    except PackageNotFoundError:
        return Finding("Ray", Health.FAIL, "not installed", "pip install 'ray[data,train]'")
    address = os.environ.get("RAY_ADDRESS")
    where = f"RAY_ADDRESS={address}" if address else "starts on this machine when needed"
    return Finding("Ray", Health.OK, f"{found}, {where}")


def _memory() -> Finding:
    gb = available_memory_gb()
    if gb is None:
        return Finding("memory", Health.WARN, "cannot tell on this system", "2048x1024 wants 8 GB a worker")
    if gb < _LEAST_MEMORY_GB:
        todo = f"close programs, or give it {_LEAST_MEMORY_GB:.0f} GB: Ray alone takes about 1 GB"
        return Finding("memory", Health.WARN, f"{gb:.1f} GB free", todo)
    return Finding("memory", Health.OK, f"{gb:.1f} GB free")


def available_memory_gb() -> float | None:
    """Memory that programs could have now, within the limit of a container; None where it cannot be told."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    free = next((int(line.split()[1]) / 1e6 for line in lines if line.startswith("MemAvailable")), None)
    limit = _container_limit_gb()
    return free if limit is None or free is None else min(free, limit)


def _container_limit_gb() -> float | None:
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text().strip()
    except OSError:
        return None
    return (int(most) - int(used)) / 1e9 if most.isdigit() else None


def _disk() -> Finding:
    gb = shutil.disk_usage(Path.cwd()).free / 1e9
    if gb < _LEAST_DISK_GB:
        return Finding("disk", Health.WARN, f"{gb:.1f} GB free here", "a quarter of a GB goes into every 256 samples")
    return Finding("disk", Health.OK, f"{gb:.0f} GB free here")


def _storage(url: str) -> Finding:
    try:
        Store(url).check_writable()
    except SynthgenError as error:
        return Finding(f"storage {url}", Health.FAIL, str(error), "check the address and the credentials in use")
    return Finding(f"storage {url}", Health.OK, "can be read and written")
