"""What the Ray inside a command opens to others: nothing but loopback, and token authentication stays on."""

import os
import sys
from pathlib import Path

import pytest

from tests.reliability.process_tree import ProcessTree

_MOST_STARTS = 3
_START = """\
import time
from orchestration.cluster import connect
connect(None, 1)
print("up", flush=True)
time.sleep(600)
"""


def start(tmp_path: Path) -> ProcessTree:
    """A process with an embedded Ray; a busy machine may need several starts."""
    script = tmp_path / "start.py"
    script.write_text(_START)
    for attempt in range(_MOST_STARTS):
        log = tmp_path / f"log-{attempt}"
        tree = ProcessTree(sys.executable, str(script), log=log)
        while tree.ended() is None:
            if "up" in log.read_text():
                return tree
            tree.wait(0.2)
        tree.kill()
    pytest.fail(f"Ray never came up: {log.read_text()[-1000:]}")


def listening(tree: ProcessTree) -> list[str]:
    """The addresses that the processes of the tree listen on, in the kernel's hexadecimal."""
    sockets = set()
    for pid in tree.members():
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                name = os.readlink(link)
            except OSError:
                continue  # closed meanwhile
            if name.startswith("socket:["):
                sockets.add(name[8:-1])
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in sockets:
                found.append(words[1].rpartition(":")[0])
    return found


@pytest.mark.soak
def test_it_listens_on_loopback_alone(tmp_path):
    with start(tmp_path) as tree:
        addresses = listening(tree)
    assert addresses
    assert set(addresses) <= {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def test_nothing_of_ours_turns_authentication_off():
    root = Path(__file__).parents[2]
    ours = [
        p
        for top in ("pipeline", "orchestration", "generators", "label_editing", "infra")
        for p in (root / top).rglob("*")
    ]
    texts = {path: path.read_text(errors="replace") for path in ours if path.is_file()}
    speaking = {path: text for path, text in texts.items() if "RAY_AUTH_MODE" in text}
    assert speaking  # the compose file turns it on
    assert [path for path, text in speaking.items() if "RAY_AUTH_MODE: token" not in text and "disabled" in text] == []
