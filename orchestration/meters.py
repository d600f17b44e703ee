"""Numbers of a run at Ray's own Prometheus endpoint, beside those of Ray itself."""

from collections.abc import Mapping
from typing import Any


class Meters:
    """Counters and gauges of one run, made when they are first moved; names show as `ray_<name>`."""

    def __init__(self, descriptions: Mapping[str, str], tags: Mapping[str, str]) -> None:
        self._descriptions, self._tags = descriptions, dict(tags)
        self._made: dict[str, Any] = {}

    def count(self, name: str, more: float, **tags: str) -> None:
        """A counter moves on."""
        from ray.util.metrics import Counter

        if more > 0:
            self._meter(Counter, name, tags).inc(more, tags={**self._tags, **tags})

    def show(self, name: str, value: float, **tags: str) -> None:
        """A gauge stands at a value."""
        from ray.util.metrics import Gauge

        self._meter(Gauge, name, tags).set(value, tags={**self._tags, **tags})

    def _meter(self, kind: type, name: str, tags: Mapping[str, str]) -> Any:
        if name not in self._made:
            self._made[name] = kind(name, self._descriptions[name], tag_keys=(*self._tags, *tags))
        return self._made[name]
