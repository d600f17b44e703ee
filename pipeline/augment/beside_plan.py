"""What a run found out before it began, kept beside its plan: whoever finishes the run goes by the same."""

import json
from typing import Any

from pipeline.augment.job import AugmentJob
from pipeline.errors import MissingFileError
from pipeline.storage import Store


def keep(value: Any, path: str, job: AugmentJob, store: Store) -> None:
    """Keep it, for this plan alone."""
    store.write_atomic(path, json.dumps({"plan": job.plan_fingerprint, "found": value}).encode())


def kept(path: str, job: AugmentJob, store: Store) -> Any:
    """What was kept for this plan; None where nothing was, or what is there was cut short: it is found again."""
    try:
        said = json.loads(store.read(path))
        return said["found"] if said["plan"] == job.plan_fingerprint else None
    except (MissingFileError, ValueError, LookupError, TypeError, RecursionError):
        return None
