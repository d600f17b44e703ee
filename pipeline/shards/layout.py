"""Where everything of a data set lies under its root."""

import re

_SHARD_NAME = re.compile(r"\w[\w.-]{0,200}")

SHARDS = "shards"
STATE = ".synthgen"
PLAN = f"{STATE}/plan.json"
COMMITS = f"{STATE}/commits"
ROWS = f"{STATE}/rows"
REJECTS = f"{STATE}/rejects.jsonl"
USUAL_SURPRISE = f"{STATE}/usual-surprise.json"
REAL_AGREEMENT = f"{STATE}/real-agreement.json"
WIDS_INDEX = f"{STATE}/wids.json"
LEASES = f"{STATE}/leases"
DATASET = "dataset.json"
MANIFEST = "manifest.parquet"
CARD = "README.md"
PREVIEW = "preview.jpg"
REPORT = "report.html"


def is_shard_name(name: str) -> bool:
    """Whether it is a name and nothing else: names of shards also come from files that anybody may have written."""
    return bool(_SHARD_NAME.fullmatch(name))


def shard_path(shard: str) -> str:
    """The tar of a shard."""
    return f"{SHARDS}/{shard}.tar"


def marker_path(shard: str) -> str:
    """The commit marker of a shard."""
    return f"{COMMITS}/{shard}.json"


def rows_path(shard: str) -> str:
    """The manifest rows of a shard."""
    return f"{ROWS}/{shard}.parquet"
