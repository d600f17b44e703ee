"""How fast edits are at 2048x1024 on one core, and how believable: `python benchmarks/bench_label_editing.py`.

Takes the Cityscapes maps at ../shared/data/cityscapes where they are, streets of the `streetscapes` source otherwise.
Times are processor time, the mean over scenes and seeds, next to the whole-image version of the same edits.
"""

import argparse
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import cv2
import numpy as np
import plain_label_edits as plain
from pydantic import TypeAdapter

from label_editing.canvas import Canvas
from label_editing.catalog import Catalog
from label_editing.edits import AnyEdit, Edit, EditContext, apply_edits
from label_editing.edits.drop import Drop
from label_editing.instance_bank import InstanceBank, build_entries
from label_editing.scene import Scene
from label_editing.views import view_of
from pipeline.catalogs import load_catalog

PARSE = TypeAdapter[Edit](AnyEdit)
FOUR_EDITS: list[dict[str, Any]] = [
    {"op": "swap_class", "from": "vegetation", "to": "building"},
    {"op": "remove_instances", "classes": ["car", "person"], "count": 2},
    {"op": "add_instances", "class": "car", "count": 3},
    {"op": "mirror"},
]
OTHERS: list[dict[str, Any]] = [
    {"op": "swap_class", "from": "car", "to": "truck", "fraction": 0.5},
    {"op": "swap_class", "from": "traffic sign", "to": "car"},
    {"op": "remove_instances", "classes": ["car", "person", "rider"]},
    {"op": "add_instances", "class": "person", "count": 3},
    {"op": "add_instances", "class": "car", "cutouts": "scene"},
    {"op": "move_instances", "classes": ["car", "person"], "count": 1},
    {"op": "resize_instances", "classes": ["car", "person"], "count": 1},
    {"op": "crop_scene"},
    {"op": "replace_region", "classes": ["sky", "building", "vegetation"]},
    {"op": "paint", "polygon": [[100, 500], [400, 500], [300, 700]], "class": "terrain"},
]


def main() -> None:
    """Print speed, memory and plausibility."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5, help="seeds for each scene")
    arguments.add_argument("--objects", type=int, default=500, help="objects added for plausibility, a class")
    chosen = arguments.parse_args()
    cv2.setNumThreads(1)
    scenes = read_scenes()
    bank = InstanceBank.of(entry for scene in scenes for entry in build_entries(scene))
    context = EditContext(bank=bank, scenes=tuple(scenes))
    print(f"{len(scenes)} scenes of {scenes[0].width}x{scenes[0].height}, one core")
    speed(scenes, context, chosen.rounds)
    memory(scenes[0], context)
    for class_name in ("car", "person"):
        placements(scenes, context, class_name, chosen.objects)
    removals(scenes, 300)
    restored(scenes, context, 300)


def read_scenes() -> list[Scene]:
    """The real maps, else streets."""
    catalog = load_catalog("cityscapes")
    root = Path(__file__).parents[2] / "shared" / "data" / "cityscapes" / "gtFine"
    scenes = [read_scene(path, catalog) for path in sorted(root.glob("*/*/*_instanceIds.png"))]
    if scenes:
        return scenes
    from pipeline.resolution import Resolution
    from pipeline.sources.streetscapes import StreetscapesConfig

    source = StreetscapesConfig(format="streetscapes").open()
    return [source.read_scene(key, Resolution(2048, 1024)) for key in source.keys()[:13]]


def read_scene(path: Path, catalog: Catalog) -> Scene:
    """One real map."""
    instances = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.int32)
    labels = cv2.imread(str(path).replace("instanceIds", "labelIds"), cv2.IMREAD_UNCHANGED)
    return Scene(labels, instances, catalog, path.name.split("_gtFine")[0])


def mean_ms(work: Callable[[int], object], count: int) -> float:
    """Mean processor time of so many seeds, after a warm-up."""
    work(0)
    start = process_time()
    for seed in range(count):
        work(seed)
    return 1e3 * (process_time() - start) / count


def speed(scenes: list[Scene], context: EditContext, rounds: int) -> None:
    """The four-edit recipe against the plain version, then each edit."""
    edits = [PARSE.validate_python(form) for form in FOUR_EDITS]
    count = rounds * len(scenes)

    def ours(seed: int) -> object:
        return apply_edits(edits, scenes[seed % len(scenes)], context, np.random.default_rng(seed))

    local = mean_ms(ours, count)
    whole = mean_ms(lambda seed: plain_recipe(scenes[seed % len(scenes)], seed), len(scenes))
    print(
        f"four edits: {1e3 / local:.1f} scenes/s ({local:.1f} ms); "
        f"whole-image version {whole:.0f} ms: {whole / local:.1f}x"
    )
    moved = mean_ms(lambda seed: moved_maps(scenes[seed % len(scenes)]), count)
    print(f"passes over whole maps that these four cannot do without: {moved:.1f} ms ({moved / local:.0%})")
    print("each alone, ms a scene (share of the four):")
    for form in (*FOUR_EDITS, *OTHERS):
        edit = PARSE.validate_python(form)
        took = mean_ms(
            lambda seed, e=edit: e.apply(scenes[seed % len(scenes)], context, np.random.default_rng(seed)), count
        )
        share = f" ({took / local:.0%})" if form in FOUR_EDITS else ""
        print(f"  {took:6.1f}{share:7} {' '.join(f'{k}={v}' for k, v in form.items())}")


def moved_maps(scene: Scene) -> object:
    """The bytes that the four edits move at least: copied once, one class written, all turned, instances read once."""
    labels, instances = scene.labels.copy(), scene.instances.copy()  # type: ignore[union-attr]
    of_class = labels == scene.catalog.named("vegetation").id
    np.copyto(labels, scene.catalog.named("building").id, where=of_class)
    np.copyto(instances, scene.catalog.named("building").id, where=of_class)
    instances.max(axis=1)
    return cv2.flip(labels, 1), cv2.flip(instances, 1, instances)


def plain_recipe(scene: Scene, seed: int) -> plain.Maps:
    """The four edits by whole-image operations, from cut-outs that are at hand as the bank's are."""
    rng = np.random.default_rng(seed)
    catalog = scene.catalog
    ids = {name: catalog.named(name).id for name in catalog.names}
    background = np.flatnonzero(catalog.fills_holes).tolist()
    cut_outs = [np.ones((60, 90), np.bool_)]
    maps = plain.swap_class((scene.labels, scene.instances), ids["vegetation"], ids["building"])  # type: ignore[arg-type]
    maps = plain.remove_instances(maps, [ids["car"], ids["person"]], 2, background, rng)
    maps = plain.add_instances(maps, ids["car"], 3, cut_outs, [ids["road"], ids["parking"], ids["ground"]], rng)
    return plain.mirror(maps, np.flatnonzero(catalog.of_layer["fixed"]).tolist())


def memory(scene: Scene, context: EditContext) -> None:
    """The most that the four edits hold at once, the scene itself not counted."""
    edits = [PARSE.validate_python(form) for form in FOUR_EDITS]
    tracemalloc.start()
    apply_edits(edits, scene, context, np.random.default_rng(0))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"memory at the peak: {most / 1e6:.0f} MB a scene")


def placements(scenes: list[Scene], context: EditContext, class_name: str, wanted: int) -> None:
    """How many added objects are where and as they would be in that scene."""
    edit = PARSE.validate_python({"op": "add_instances", "class": class_name})
    faults: Counter[str] = Counter()
    added = seed = 0
    while added < wanted:
        scene = scenes[seed % len(scenes)]
        after, record = edit.apply(scene, context, np.random.default_rng(seed))
        seed += 1
        if record.applied:
            added += 1
            fault = first_fault(scene, after, class_name, record.instances[0].id)
            faults[fault] += 1
    good = faults.pop("", 0)
    print(
        f"added {class_name}: {good / added:.1%} of {added} plausible ({seed - added} refused); faults {dict(faults)}"
    )


def first_fault(before: Scene, after: Scene, class_name: str, instance_id: int) -> str:
    """What is wrong with an added object, measured on the maps alone; empty when nothing is."""
    catalog = before.catalog
    spec = catalog.named(class_name)
    canvas = Canvas(after)
    instance = canvas.table[instance_id]
    mask = canvas.mask_of(instance)
    covered = before.labels[instance.box.window]
    standing = catalog.supports[class_name][covered[-1][mask[-1]]]
    if canvas.table[instance_id].foot_row < before.height - 1 and standing.mean() < 0.5:
        return "foot off its support"
    if catalog.of_layer["sky"][covered[mask]].any():
        return "against the sky"
    if catalog.of_layer["fixed"][covered[mask]].any():
        return "on the bonnet"
    view = view_of(Canvas(before), None)
    if view is not None and spec.height_m is not None and not partly_hidden(after, instance.box):
        usual = spec.height_m * view.pixels_per_metre(instance.foot_row, before.height)
        if not usual / 1.5 <= instance.height <= usual * 1.5:
            return "of another height"
    return ""


def partly_hidden(scene: Scene, box: Any) -> bool:
    """Whether something nearer stands before the box, so that the height that shows says little."""
    return any(i.box.bottom > box.bottom and i.box.overlaps(box) for i in Canvas(scene).table.values())


def removals(scenes: list[Scene], wanted: int) -> None:
    """What removed instances leave behind."""
    wrong = removed = seed = 0
    while removed < wanted:
        scene = scenes[seed % len(scenes)]
        rng = np.random.default_rng(seed)
        ids = sorted(Canvas(scene).table)
        seed += 1
        gone = int(rng.choice(ids))
        after, record = Drop(instances=(gone,)).apply(scene, EditContext(), rng)
        removed += record.applied
        wrong += int(np.count_nonzero(~scene.catalog.fills_holes[after.labels[scene.instances == gone]]))
    print(f"removed {removed}: {wrong} pixels of a void class or an object in the holes")


def restored(scenes: list[Scene], context: EditContext, count: int) -> None:
    """Paste, remove, and compare with what was there."""
    for name, source in (("bank", context), ("own", EditContext())):
        back = pixels = 0
        shares = []
        for k in range(count):
            scene = scenes[(k // 2) % len(scenes)]
            edit = PARSE.validate_python({"op": "add_instances", "class": ("car", "person")[k % 2]})
            pasted, record = edit.apply(scene, source, np.random.default_rng(k))
            if not record.applied:
                continue
            ids = tuple(i.id for i in record.instances)
            after, _ = Drop(instances=ids).apply(pasted, EditContext(), np.random.default_rng(k))
            known = np.isin(pasted.instances, ids) & scene.catalog.fills_holes[scene.labels]
            same = np.count_nonzero(after.labels[known] == scene.labels[known])
            total = np.count_nonzero(known)
            back, pixels = back + same, pixels + total
            shares.extend([same / total] if total else [])
        print(
            f"pasted ({name} cut-outs) and removed: {back / pixels:.1%} of {pixels} background pixels came back, "
            f"{np.mean(shares):.1%} in the mean of {len(shares)} objects"
        )


if __name__ == "__main__":
    main()
