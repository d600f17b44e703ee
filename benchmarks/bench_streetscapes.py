"""How fast street scenes are drawn, in CPU time on one core: labels, instances and picture at 256x128.

    python benchmarks/bench_streetscapes.py

The baseline of the same run decodes the same scenes from PNG and JPEG in memory: what reading them from disk would
cost at least.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.sources.streetscapes import StreetscapesConfig

SIZE = Resolution(256, 128)
AT_LEAST_PER_S = 20.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--scenes", type=int, default=60)
    arguments.add_argument("--json", action="store_true", help="print one JSON object")
    options = arguments.parse_args()
    cv2.setNumThreads(1)
    result = measure(options.scenes)
    if options.json:
        print(json.dumps(result))
        return
    print(f"scene, maps and picture   {result['scenes_per_s']:7.1f} scenes/s  (at least {AT_LEAST_PER_S:.0f})")
    print(f"scene, maps only          {result['maps_per_s']:7.1f} scenes/s")
    print(f"baseline, decoding files  {result['decoded_per_s']:7.1f} scenes/s: drawing costs {result['ratio']:.0f}x")


def measure(scenes: int) -> dict[str, float]:
    """Scenes per second of CPU time."""
    source = StreetscapesConfig(scenes=scenes).open()
    keys = list(source.keys())
    source.read(keys[0], SIZE)  # the noise tiles are made once a process
    files = [_encode(source, key) for key in keys]
    drawn = _per_s(lambda i: source.read(keys[i], SIZE), scenes)
    maps = _per_s(lambda i: source.read_scene(keys[i], SIZE), scenes)
    decoded = _per_s(lambda i: [cv2.imdecode(f, cv2.IMREAD_UNCHANGED) for f in files[i]], scenes)
    return {"scenes_per_s": drawn, "maps_per_s": maps, "decoded_per_s": decoded, "ratio": decoded / drawn}


def _encode(source: Source, key: str) -> list[Any]:
    pair = source.read(key, SIZE)
    maps = [pair.scene.labels, np.asarray(pair.scene.instances).astype(np.uint16)]
    return [*[cv2.imencode(".png", m)[1] for m in maps], cv2.imencode(".jpg", np.asarray(pair.image))[1]]


def _per_s(work: Callable[[int], object], times: int) -> float:
    start = time.process_time()
    for i in range(times):
        work(i)
    return times / (time.process_time() - start)


if __name__ == "__main__":
    main()
