"""How many workers each stage gets, decided before anything starts, so that a run can never starve itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.failures import NoRoom


@dataclass(frozen=True)
class Need:
    """What one worker of a stage holds, and how many are wanted; None means as many as fit."""

    name: str
    cpus: float
    gpus: float
    workers: int | None = None


@dataclass(frozen=True)
class Pool:
    """What a stage gets. `cpus` may be less than asked for: on a small machine the stages share."""

    name: str
    cpus: float
    gpus: float
    workers: int


def size_pools(needs: Sequence[Need], cpus: float, gpus: float) -> list[Pool]:
    """A pool a stage, all of which fit together; NoRoom says what is missing and what to do."""
    _check_gpus(needs, gpus)
    given = [_with_gpus(need, gpus) if need.gpus and need.workers is None else need for need in needs]
    least = sum(need.cpus * (need.workers or 1) for need in given)
    if least > cpus:
        return _sharing(given, cpus, least)
    open_ended = [need for need in given if need.workers is None]
    spare = cpus - least
    share = spare / len(open_ended) if open_ended else 0.0
    sizes = [need.workers or _fit(need.cpus, share) for need in given]
    left = cpus - sum(need.cpus * size for need, size in zip(given, sizes, strict=True))
    while (number := _next_to_grow(given, sizes, left)) is not None:
        sizes[number] += 1
        left -= given[number].cpus
    return [Pool(need.name, need.cpus, need.gpus, size) for need, size in zip(given, sizes, strict=True)]


def _next_to_grow(needs: Sequence[Need], sizes: Sequence[int], left: float) -> int | None:
    """The smallest pool that what is left has room for, of equals the last: stages tend to get heavier."""
    growing = [n for n, need in enumerate(needs) if need.workers is None and 0 < need.cpus <= left]
    return min(growing, key=lambda n: (sizes[n], -n), default=None)


def _fit(cpus: float, share: float) -> int:
    return 1 + (int(share / cpus) if cpus else 0)


def _with_gpus(need: Need, gpus: float) -> Need:
    return Need(need.name, need.cpus, need.gpus, int(gpus / need.gpus))


def _check_gpus(needs: Sequence[Need], gpus: float) -> None:
    wanted = sum(need.gpus * (need.workers or 1) for need in needs)
    if wanted > gpus:
        names = ", ".join(need.name for need in needs if need.gpus)
        raise NoRoom(
            f"stage {names} needs {wanted:g} GPUs, the cluster has {gpus:g}; ask for fewer workers or a smaller share"
        )


def _sharing(needs: Sequence[Need], cpus: float, least: float) -> list[Pool]:
    """One worker a stage on shares of what there is: reservations shrink, the work itself does not."""
    if any(need.workers is not None and need.workers > 1 and need.cpus for need in needs):
        asked = ", ".join(f"{n.name} {n.workers or 1}x{n.cpus:g}" for n in needs if n.cpus)
        raise NoRoom(f"the stages need {least:g} CPUs ({asked}), the cluster has {cpus:g}; ask for fewer workers")
    scale = cpus / least
    return [Pool(n.name, int(n.cpus * scale * 1000) / 1000, n.gpus, n.workers or 1) for n in needs]
