"""A whole augment run against its stages run bare, shard writing against plain tarfile, and encoding a sample.

    python benchmarks/bench_pipeline.py                                   # small generator, this machine's cores
    python benchmarks/bench_pipeline.py --only encoding --maps FOLDER     # real maps: *_labelIds.png, *_instanceIds.png
    python benchmarks/bench_pipeline.py --only run --resolution 2048x1024 --model full --source CITYSCAPES   # a GPU
    python benchmarks/bench_pipeline.py --write docs/performance.md

The end to end rate is that of `run_augment` from the moment that every worker is there to its last shard.
Its baseline is what the stages allow, each run bare over the same samples in one process: the slowest of them with as
many workers as the run gives it, and no more than the CPU time that all of them together take on the cores there are.
"""

import argparse
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from bench_scale import write_between

from generators import family_named
from generators.style import StyleKind
from label_editing.scene import Scene
from orchestration.cluster import connect, shutdown
from orchestration.flight import Flight
from orchestration.memory import keep_freed_memory
from pipeline.augment import run as augment_run
from pipeline.augment.editing import Editor
from pipeline.augment.finishing import Finisher
from pipeline.augment.lease import hold_lease
from pipeline.augment.prepare import prepare
from pipeline.augment.run import run_augment
from pipeline.augment.workers import make_renderer
from pipeline.catalogs import load_catalog
from pipeline.console import Console, ProgressMode
from pipeline.model_directory import ModelDirectory, ModelFacts, TrainingSummary, label_space
from pipeline.recipe import load_recipe
from pipeline.resolution import Resolution
from pipeline.shards.commit import put_verified, sha256_of
from pipeline.shards.pixels import encode_image, encode_instances, encode_labels
from pipeline.shards.tar import build_tar
from pipeline.sources.streetscapes import StreetscapesConfig
from pipeline.storage import Store
from pipeline.styles.bank import StyleBank

BEGIN, END = "<!-- bench_pipeline: begin -->", "<!-- bench_pipeline: end -->"
_BARE_SAMPLES = 64
RECIPE = """\
name: bench
source: {source}
model: {model}
output: {{root: {root}, samples_per_shard: 64}}
samples: {samples}
seed: 7
edits:
  - {{op: swap_class, from: vegetation, to: building, probability: 0.5}}
  - {{op: remove_instances, classes: [person, rider], probability: 0.5}}
"""


def main() -> None:
    """All parts as lines, and into a document where one is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["run", "shards", "encoding"], help="one part")
    parser.add_argument("--samples", type=int, default=1024, help="of the run")
    parser.add_argument("--resolution", default="256x128", help="of the run")
    parser.add_argument("--model", choices=["small", "full"], default="small", help="full: pix2pixHD as published")
    parser.add_argument("--source", help="a folder in Cityscapes' layout instead of streetscapes")
    parser.add_argument("--maps", type=Path, help="a folder, searched for *_labelIds.png and *_instanceIds.png")
    parser.add_argument("--images", type=Path, help="a folder, searched for images to encode as JPEG")
    parser.add_argument("--write", type=Path, help="put the results into this file, between its bench_pipeline marks")
    options = parser.parse_args()
    given = [a for a in sys.argv[1:] if a != "--write" and not a.endswith(".md") and not a.startswith("/")]
    lines = [f"Measured by `{' '.join(['python', 'benchmarks/bench_pipeline.py', *given])}`.", ""]
    if options.only in (None, "encoding"):
        lines += show(encoding(options.maps, options.images))
    if options.only in (None, "shards"):
        lines += show(shard_writing())
    if options.only in (None, "run"):
        lines += show(whole_run(options.samples, Resolution.parse(options.resolution), options.model, options.source))
    if options.write:
        write_between(options.write, BEGIN, END, "\n".join(lines))


def show(lines: list[str]) -> list[str]:
    """What was found, at once and for later."""
    print("\n".join(lines), flush=True)
    return lines


def least_s(work: Callable[[], Any], repetitions: int = 7) -> float:
    """CPU seconds of one call, the least of a few, so that other work counts little."""
    times = []
    for _ in range(repetitions):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def encoding(maps: Path | None, images: Path | None) -> list[str]:
    """Milliseconds to encode the three files of one sample of 2048x1024, on one thread."""
    cv2.setNumThreads(1)
    catalog = load_catalog("cityscapes")
    scene, image, what = _drawn() if maps is None else _read(maps, images, catalog)
    parts = {
        "label PNG": lambda: encode_labels(scene.labels, catalog),
        "instance PNG": lambda: encode_instances(scene.labels, scene.instances, catalog),
        "JPEG quality 95": lambda: encode_image(image, "jpeg", 95),
    }
    found = {name: 1000 * least_s(work) for name, work in parts.items()}
    sizes = {name: len(work()) / 1000 for name, work in parts.items()}
    rows = [f"| {name} | {ms:.1f} | {sizes[name]:.0f} |" for name, ms in found.items()]
    height, width = scene.labels.shape
    head = [
        f"Encoding one sample of {width}x{height} ({what}), one core:",
        "",
        "| file | CPU ms | kB |",
        "|---|---|---|",
    ]
    return [*head, *rows, f"| together | {sum(found.values()):.1f} | {sum(sizes.values()):.0f} |", ""]


def _drawn() -> tuple[Scene, Any, str]:
    source = StreetscapesConfig(format="streetscapes", scenes=8, seed=3).open()
    scene, image = source.read(source.keys()[0], Resolution(2048, 1024))
    return scene, image, "streetscapes"


def _read(maps: Path, images: Path | None, catalog: Any) -> tuple[Scene, Any, str]:
    labels_path = sorted(maps.rglob("*_labelIds.png"))[0]
    instances_path = labels_path.with_name(labels_path.name.replace("_labelIds", "_instanceIds"))
    labels = cv2.imread(str(labels_path), cv2.IMREAD_UNCHANGED)
    instances = cv2.imread(str(instances_path), cv2.IMREAD_UNCHANGED).astype(np.int32)
    scene = Scene(labels, instances, catalog, labels_path.stem, {})
    found = sorted((images or maps).rglob("*_leftImg8bit.*"))
    if not found:
        return scene, _drawn()[1], "real maps, a streetscapes image"
    image = cv2.cvtColor(cv2.imread(str(found[0])), cv2.COLOR_BGR2RGB)
    return scene, cv2.resize(image, labels.shape[::-1]), "real maps and image"


def shard_writing() -> list[str]:
    """MB/s of a shard of 64 samples as it is committed (built, hashed, put, read back) against plain tarfile."""
    rng = np.random.default_rng(0)
    fields = {"jpg": 900_000, "seg.png": 36_000, "inst.png": 46_000, "json": 6_000}
    samples = [(f"s-{k:08d}", {name: rng.bytes(size) for name, size in fields.items()}) for k in range(64)]
    megabytes = sum(len(data) for _, each in samples for data in each.values()) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)

        def committed() -> None:
            tar = build_tar(samples)
            put_verified(store, "shards/a.tar", tar, sha256_of(tar))

        def plain() -> None:
            with tarfile.open(Path(folder) / "plain.tar", "w") as tar:
                for key, each in samples:
                    for name, data in each.items():
                        path = Path(folder) / "member"
                        path.write_bytes(data)
                        tar.add(path, f"{key}.{name}")

        ours, theirs = megabytes / _wall_s(committed), megabytes / _wall_s(plain)
    return [
        f"Writing a shard of {megabytes:.0f} MB: {ours:.0f} MB/s built, hashed, put in one step, read back and "
        f"compared; plain `tarfile` from files {theirs:.0f} MB/s (ratio {ours / theirs:.2f}).",
        "",
    ]


def _wall_s(work: Callable[[], Any], repetitions: int = 5) -> float:
    times = []
    for _ in range(repetitions):
        began = time.monotonic()
        work()
        times.append(time.monotonic() - began)
    return min(times)


@dataclass
class Bare:
    """A stage over some samples in this process: seconds a sample, on the clock and of the CPU."""

    wall_s: float
    cpu_s: float


def whole_run(samples: int, resolution: Resolution, kind: str, root: str | None) -> list[str]:
    """Samples a second end to end, and as the bare stages allow."""
    cores = os.cpu_count() or 1
    source = "{format: streetscapes, scenes: 64, seed: 3}"
    if root is not None:
        source = f"{{format: cityscapes, root: '{root}', split: train}}"
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, untrained_model(folder, resolution, kind), source)
        stages = bare_stages(bench, min(samples, _BARE_SAMPLES))
        rate, workers = end_to_end(bench, samples)
    allowed_by = {name: workers.get(name, 1) / stage.wall_s for name, stage in stages.items()}
    slowest = min(allowed_by, key=lambda name: allowed_by[name])
    of_slowest = allowed_by[slowest]
    of_cores = cores / sum(stage.cpu_s for stage in stages.values())
    allowed = min(of_slowest, of_cores)
    rows = [
        f"| {name} | {workers.get(name, 1)} | {1000 * stage.wall_s:.1f} | {1000 * stage.cpu_s:.1f} |"
        for name, stage in stages.items()
    ]
    device = torch.cuda.get_device_name() + " and " if torch.cuda.is_available() else ""
    return [
        f"A run of {samples} samples at {resolution}, model {kind}, on {device}{cores} cores:",
        "",
        "| stage, bare | workers in the run | ms/sample | CPU ms/sample |",
        "|---|---|---|---|",
        *rows,
        "",
        f"The slowest stage ({slowest}) allows {of_slowest:.1f} samples/s, the cores together {of_cores:.1f}; "
        f"end to end {rate:.1f} samples/s, {rate / allowed:.2f} of what they allow.",
        "",
    ]


@dataclass(frozen=True)
class Bench:
    """Where, with which model, from which source."""

    folder: str
    model: str
    source: str


MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "small": ("crn", {"base_channels": 64, "modules": 5}),
    "full": ("pix2pixhd", {"num_enhancers": 1, "feature_channels": 0}),
}


def untrained_model(folder: str, resolution: Resolution, kind: str) -> str:
    """Its time does not depend on what it has learnt."""
    name, settings = MODELS[kind]
    family, catalog = family_named(name), load_catalog("cityscapes")
    torch.manual_seed(0)
    config = family.config(**settings)
    summary = TrainingSummary(
        source={"format": "streetscapes"},
        source_fingerprint="0",
        pairs=1,
        steps=0,
        batch_size=1,
        seed=0,
        precision="float32",
        losses={},
    )
    directory = ModelDirectory(f"{folder}/model")
    generator = family.build_generator(config, label_space(catalog))
    directory.write(ModelFacts("bench", name, config, catalog, resolution, summary), generator, None)
    directory.write_styles(StyleBank(StyleKind.NONE, 0))
    return directory.url


def _prepared(bench: Bench, root: str, samples: int) -> Any:
    path = Path(bench.folder) / "bench.yaml"
    path.write_text(RECIPE.format(source=bench.source, model=bench.model, root=root, samples=samples))
    return prepare(load_recipe(path))


def bare_stages(bench: Bench, samples: int) -> dict[str, Bare]:
    """Each stage over whole shards, one after the other, in this process."""
    keep_freed_memory()  # as workers do
    root = f"{bench.folder}/bare"
    job, _ = _prepared(bench, root, samples)
    store = Store(root)
    threads = torch.get_num_threads()
    editor, renderer = Editor(job), make_renderer(job, None)
    renderer(editor([0]))  # what is loaded and compiled on first use
    found = {name: Bare(0.0, 0.0) for name in ("edit", "render", "commit")}
    with hold_lease(store) as claim:
        finish = Finisher(job, store, claim)
        for shard in job.plan.shards():
            rows: Any = list(shard.slots)
            for name, work in (("edit", editor), ("render", renderer)):
                rows = _timed(found[name], work, rows)
            _timed(found["commit"], lambda given, shard=shard: finish(shard.id, given), rows)
    torch.set_num_threads(threads)
    return {name: Bare(each.wall_s / samples, each.cpu_s / samples) for name, each in found.items()}


def _timed(bare: Bare, work: Callable[[Any], Any], given: Any) -> Any:
    wall, cpu = time.monotonic(), time.process_time()
    result = work(given)
    bare.wall_s += time.monotonic() - wall
    bare.cpu_s += time.process_time() - cpu
    return result


def end_to_end(bench: Bench, samples: int) -> tuple[float, dict[str, int]]:
    """Samples a second of a run, from the moment that all of its workers are there; and how many each stage had."""
    root = f"{bench.folder}/run"
    job, record = _prepared(bench, root, samples)
    began: list[float] = []
    workers: dict[str, int] = {}
    seen = augment_run.Watch.seen

    def watch(self: Any, flight: Flight) -> None:
        if not began and all(ready for ready, _ in flight.workers.values()):
            began.append(time.monotonic())
        workers.update({name: ready for name, (ready, _) in flight.workers.items()})
        seen(self, flight)
        ended[:] = [time.monotonic()]

    ended: list[float] = []
    augment_run.Watch.seen = watch  # type: ignore[method-assign]
    try:
        with Console(mode=ProgressMode.OFF).progress("bench") as progress:
            run_augment(job, record, Store(root), lambda: connect("local"), progress, "")
    finally:
        shutdown()
    return samples / (ended[-1] - began[0]), workers


if __name__ == "__main__":
    main()
