"""What is worth keeping on this machine between commands that must not write to a run's output."""

import os
from pathlib import Path

from pipeline.storage import Store


def local_cache() -> Store:
    """A folder of the user: SYNTHGEN_CACHE, else synthgen under XDG_CACHE_HOME or ~/.cache."""
    named = os.environ.get("SYNTHGEN_CACHE")
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Store(named or str(Path(caches) / "synthgen"))
