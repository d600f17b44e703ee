import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
import numpy as np
from orchestration.memory import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def batch():
    arrays = [np.ones(size, np.uint8) for size in (50_000_000, 70_000_000)]

batch()
before = faults()
for _ in range(5):
    batch()
print(faults() - before)
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone is told")
def test_the_second_batch_finds_the_memory_of_the_first():
    assert faults("keep") < 1000
    assert faults("leave") > 1000, "else there is nothing to keep"
