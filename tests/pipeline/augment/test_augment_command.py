"""`synthgen augment` as a user runs it, killed in between, against the same data set made here without Ray."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from pipeline.augment.finalise import finalise
from pipeline.augment.finishing import Finisher
from pipeline.augment.lease import hold_lease
from pipeline.augment.prepare import prepare
from pipeline.augment.run import with_context
from pipeline.augment.workers import make_editor, make_renderer
from pipeline.plan_record import settle_plan
from pipeline.recipe import load_recipe
from pipeline.storage import Store

pytestmark = [pytest.mark.ray, pytest.mark.slow]

SYNTHGEN = [sys.executable, "-m", "pipeline.cli"]
NOT_COMPARED = {"report.html"}  # holds how long the run took


def environment() -> dict[str, str]:
    return {**os.environ, "RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1", "USER": "tester"}


def augment(recipe: Path, *options: str) -> subprocess.Popen[str]:
    """The command in its own session, so that it can be killed with all its children."""
    return subprocess.Popen(
        [*SYNTHGEN, "augment", "--recipe", str(recipe), "--json", *options],
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(recipe: Path, *options: str) -> dict:
    process = augment(recipe, *options)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return json.loads(out)


def synthgen(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SYNTHGEN, *arguments], env=environment(), text=True, capture_output=True, check=False)


def tree(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files if path.name not in NOT_COMPARED}


def wait_for_a_marker(root: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 200
    while not list(root.glob(".synthgen/commits/*.json")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "no shard committed in 200 s"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, recipe_text) -> Path:
    folder = tmp_path_factory.mktemp("augment")
    path = folder / "night_cars.yaml"
    path.write_text(recipe_text.format(root=folder / "whole"))
    return path


@pytest.fixture(scope="module")
def whole(recipe) -> Path:
    """The data set as one process makes it, shard after shard: no Ray, no command line, no other workers."""
    loaded = load_recipe(recipe)
    job, record = prepare(loaded)
    store = Store(loaded.value.output.root)
    threads = torch.get_num_threads()
    with hold_lease(store) as claim:
        settle_plan(store, record)
        job = with_context(job, store)
        editor, renderer = make_editor(job), make_renderer(job, None)
        for shard in job.plan.shards():
            Finisher(job, store, claim)(shard.id, renderer(editor(list(shard.slots))))
        finalise(job, store, {}, 1.0, loaded.text)
    torch.set_num_threads(threads)
    return recipe.parent / "whole"


def test_a_run_that_was_killed_finishes_what_is_missing_with_the_same_bytes(recipe, whole):
    root = recipe.parent / "killed"
    there = ("--set", f"output.root={root}", "--cpus", "2")
    # One shard at a time: all three would be there before the kill is.
    process = augment(recipe, *there, "--max-in-flight", "1")
    wait_for_a_marker(root, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (root / "dataset.json").exists()
    resumed = run(recipe, *there)
    assert resumed["samples"] == 10
    assert 0 < resumed["samples_made_now"] < 10
    assert tree(root) == tree(whole)


def test_a_run_that_died_while_it_finished_up_is_completed_from_its_shards(recipe, whole):
    before = tree(whole)
    for name in ("dataset.json", "manifest.parquet", "README.md"):
        (whole / name).unlink()
    assert run(recipe)["samples_made_now"] == 0
    assert tree(whole) == before


def test_a_finished_run_again_changes_nothing(recipe, whole):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.is_file()}
    assert run(recipe)["samples_made_now"] == 0
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.is_file()} == before


def test_verify_passes_and_fails_on_one_flipped_byte(whole):
    good = synthgen("verify", str(whole))
    assert (good.returncode, good.stdout) == (0, f"{whole}: 3 shards, 10 samples: all as they should be\n")
    shard = whole / "shards" / "train-000001.tar"
    data = shard.read_bytes()
    try:
        shard.write_bytes(data[:9000] + bytes([data[9000] ^ 1]) + data[9001:])
        bad = synthgen("verify", str(whole))
    finally:
        shard.write_bytes(data)
    assert bad.returncode == 1
    assert f"{shard}: changed: its sha256 is" in bad.stdout


def test_a_sample_replays_byte_for_byte_from_its_record(whole, toy_model):
    done = synthgen("replay", str(whole), "night_cars-00000007", "--model", toy_model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "night_cars-00000007: seg.png the same, byte for byte",
        "night_cars-00000007: inst.png the same, byte for byte",
        "night_cars-00000007: image the same, byte for byte",
    ]


@pytest.mark.parametrize("how", [[], ["--dry-run"]], ids=["run", "dry run"])
def test_other_inputs_on_the_same_output_are_refused_with_the_difference(recipe, whole, how):
    refused = synthgen("augment", "--recipe", str(recipe), "--set", "seed=8", *how)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-2:] == [
        f"error: {whole}: holds a data set made from other inputs; give another output.root, or undo:",
        "  recipe.seed: was 7, now 8",
    ]


def test_a_dry_run_shows_the_plan_and_writes_nothing(recipe):
    root = recipe.parent / "nowhere"
    shown = synthgen("augment", "--recipe", str(recipe), "--set", f"output.root={root}", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[0] == "10 samples of 64x32 in 3 shards, from 12 scenes"
    assert not root.exists()


def test_a_dry_run_refuses_the_output_that_a_run_refuses(recipe):
    root = recipe.parent / "strange"
    root.mkdir()
    (root / "mine.txt").write_text("mine")
    refused = synthgen("augment", "--recipe", str(recipe), "--set", f"output.root={root}", "--dry-run")
    assert refused.returncode == 1
    said = f"error: {root}: holds files that are no data set of synthgen (mine.txt); give another output.root"
    assert refused.stderr.splitlines()[-1] == said


def test_a_dry_run_warns_of_an_edit_that_never_fits(recipe):
    sets = (f"output.root={recipe.parent}/nowhere", "edits=[{op: swap_class, from: train, to: bus}, {op: mirror}]")
    shown = synthgen("augment", "--recipe", str(recipe), *(f"--set={each}" for each in sets), "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "warning: swap_class was never applied: no train to change\n" in shown.stderr
    assert (
        "  swap_class: applied 0 of 8 times; no train to change (8)\n  mirror: applied 8 of 8 times\n" in shown.stdout
    )


def test_a_missing_model_names_the_command_that_makes_one(recipe):
    refused = synthgen("augment", "--recipe", str(recipe), "--set", f"model={recipe.parent}/none")
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        f"error: {recipe.parent}/none: not a model directory (no model.json); make it with"
    )
    assert f"synthgen train --output {recipe.parent}/none" in refused.stderr
