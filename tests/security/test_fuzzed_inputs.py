"""Damaged inputs of every kind given to the commands that read them: success or an error in words, and nothing else."""

import hashlib
import json
import os
import random
import shutil
import traceback
from collections.abc import Callable
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.instance_banks import bank_to_parquet, build_bank
from pipeline.resolution import Resolution
from pipeline.shards.tar import read_samples
from pipeline.sources.streetscapes.source import StreetscapesConfig
from tests.reliability.child_runs import CHILDREN, start
from tests.reliability.tiny_run import run_here, write_model, write_recipe
from tests.security import fuzzing

QUICK = 25
_PROCESSES = 2
MANY = {
    "recipes": 3000,
    "yaml": 3000,
    "pngs": 2500,
    "tars": 2500,
    "parquet": 2500,
    "safetensors": 1000,
    "model.json": 2000,
    "dataset.json": 1500,
    "state": 1000,
    "records": 1000,
}


class Inputs:
    """One good input of every kind, a place to damage copies of it, and the command that reads each."""

    def __init__(self, good: Path, work: Path) -> None:
        self.good, self.work = good, work
        self.work.mkdir(parents=True, exist_ok=True)
        self.model, self.dataset, self.pairs = good / "model", good / "made", good / "pairs"
        recipe = write_recipe(self.work / "good.yaml", str(self.model), str(self.work / "out")).read_text()
        self.recipe: dict[str, Any] = yaml.safe_load(recipe)
        self.shard = min(path.name for path in (self.dataset / "shards").iterdir())
        self.configs = [p.read_text() for kind in ("recipes", "train") for p in sorted(Path("configs", kind).iterdir())]
        self.configs += [recipe] * len(self.configs)  # whose source is there: it is read as well
        self.catalogs = [path.read_text() for path in sorted(Path("configs/classes").iterdir())]

    def copy_of(self, folder: Path) -> Path:
        target = self.work / folder.name
        shutil.rmtree(target, ignore_errors=True)
        return Path(shutil.copytree(folder, target))

    def recipes(self, rng: random.Random) -> list[str]:
        path = self.work / "recipe.yaml"
        path.write_text(fuzzing.as_yaml(fuzzing.damaged_tree(self.recipe, rng)))
        return ["augment", "--recipe", str(path), "--dry-run"]

    def yaml(self, rng: random.Random) -> list[str]:
        path, is_catalog = self.work / "text.yaml", rng.random() < 0.4
        text = rng.choice(self.catalogs if is_catalog else self.configs)
        path.write_text(fuzzing.damaged_text(text, rng), errors="surrogatepass")
        if rng.random() < 0.1:
            path.write_bytes(fuzzing.damaged_bytes(path.read_bytes(), rng))
        command = ["sources", "check", "--limit", "1", "--threads", "1"]
        if is_catalog:
            return [*command, "--set", f"source.catalog={path}", *self._folder(self.pairs)]
        return [*command, "--config", str(path)]

    def pngs(self, rng: random.Random) -> list[str]:
        pairs = self.copy_of(self.pairs)
        path = rng.choice(sorted(pairs.rglob("*.png")))
        path.write_bytes(fuzzing.damaged_png(path.read_bytes(), rng))
        return ["sources", "check", "--threads", "1", "--set", "source.catalog=cityscapes", *self._folder(pairs)]

    def tars(self, rng: random.Random) -> list[str]:
        made, data = self._with_shard(rng)
        self._rewrite_index(made, data)
        if rng.random() < 0.5:
            return ["verify", str(made), "--quiet"]
        return ["sources", "check", "--format", "webdataset", "--root", str(made), "--threads", "1"]

    def parquet(self, rng: random.Random) -> list[str]:
        kind = rng.choice(["manifest", "styles", "bank"])
        if kind == "styles":
            model = self.copy_of(self.model)
            self._damage(model / "styles.parquet", rng)
            return ["styles", "show", str(model)]
        if kind == "bank":
            bank = self.work / "bank.parquet"
            bank.write_bytes(fuzzing.damaged_bytes((self.good / "bank.parquet").read_bytes(), rng))
            return ["bank", "show", str(bank)]
        made = self.copy_of(self.dataset)
        self._damage(made / "manifest.parquet", rng)
        return rng.choice(
            [["inspect", str(made)], ["replay", str(made), "tiny-00000001", "--out", str(self.work / "replayed")]]
        )

    def safetensors(self, rng: random.Random) -> list[str]:
        model = self.copy_of(self.model)
        weights = (model / "generator.safetensors").read_bytes()
        fuzzing.rehash_card(model, "generator.safetensors", fuzzing.damaged_safetensors(weights, rng))
        return [
            "replay",
            str(self.dataset),
            "tiny-00000001",
            "--model",
            str(model),
            "--out",
            str(self.work / "replayed"),
        ]

    def model_json(self, rng: random.Random) -> list[str]:
        model = self.copy_of(self.model)
        card = model / "model.json"
        if rng.random() < 0.3:
            self._damage(card, rng)
        else:
            card.write_text(json.dumps(fuzzing.damaged_tree(json.loads(card.read_text()), rng)))
        recipe = write_recipe(self.work / "with_model.yaml", str(model), str(self.work / "out"))
        return rng.choice(
            [
                ["model", "show", str(model)],
                ["augment", "--recipe", str(recipe), "--dry-run"],
                ["styles", "show", str(model)],
            ]
        )

    def dataset_json(self, rng: random.Random) -> list[str]:
        made = self.copy_of(self.dataset)
        path = made / "dataset.json"
        path.write_text(json.dumps(fuzzing.damaged_tree(json.loads(path.read_text()), rng)))
        return rng.choice(
            [
                ["verify", str(made), "--quiet"],
                ["inspect", str(made)],
                ["sources", "check", "--format", "webdataset", "--root", str(made), "--threads", "1"],
            ]
        )

    def state(self, rng: random.Random) -> list[str]:
        made = self.copy_of(self.dataset)
        path = rng.choice(sorted((made / ".synthgen").rglob("*.json")))
        if rng.random() < 0.5:
            self._damage(path, rng)
        else:
            path.write_text(json.dumps(fuzzing.damaged_tree(json.loads(path.read_text()), rng)))
        if rng.random() < 0.3:
            lease = {"owner": "o", "host": "h", "pid": 1, "started": "1", "token": "t", "heartbeat": 1.0}
            (made / ".synthgen/leases").mkdir(exist_ok=True)
            (made / ".synthgen/leases/000001.json").write_text(json.dumps(fuzzing.damaged_tree(lease, rng)))
        return rng.choice(
            [
                ["status", str(made)],
                ["repair", str(made), "--dry-run"],
                ["repair", str(made)],
                ["verify", str(made), "--quiet"],
            ]
        )

    def records(self, rng: random.Random) -> list[str]:
        shard = self.dataset / "shards" / self.shard
        record = json.loads(next(read_samples(shard.read_bytes()))[1]["json"])
        for name in ("source", "edits", "styles", "instances", "pixels"):
            if rng.random() < 0.4:
                record[name] = json.dumps(fuzzing.damaged_tree(json.loads(record[name]), rng))
        if rng.random() < 0.4:
            record = fuzzing.damaged_tree(record, rng)
        path = self.work / "record.json"
        path.write_text(json.dumps(record))
        return ["replay", "--record", str(path), "--out", str(self.work / "replayed")]

    def _folder(self, pairs: Path) -> list[str]:
        patterns = [f"source.{kind}={kind}/*.png" for kind in ("labels", "instances", "images")]
        return ["--format", "folder", "--root", str(pairs), *(word for p in patterns for word in ("--set", p))]

    def _with_shard(self, rng: random.Random) -> tuple[Path, bytes]:
        made = self.copy_of(self.dataset)
        path = made / "shards" / self.shard
        data = fuzzing.damaged_tar(path.read_bytes(), rng)
        path.write_bytes(data)
        return made, data

    def _rewrite_index(self, made: Path, data: bytes) -> None:
        """An attacker's index fits the attacker's shard."""
        index = json.loads((made / "dataset.json").read_text())
        for entry in index["shards"]:
            if entry["name"] == self.shard:
                entry |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        (made / "dataset.json").write_text(json.dumps(index))

    @staticmethod
    def _damage(path: Path, rng: random.Random) -> None:
        path.write_bytes(fuzzing.damaged_bytes(path.read_bytes(), rng))


def make_good(folder: Path) -> Path:
    """A model, a data set of its making, and the same pairs as plain files."""
    model = write_model(str(folder / "model"))
    made = run_here(write_recipe(folder / "made.yaml", model, str(folder / "made")))
    for file in made.list("shards"):
        for key, fields in read_samples(made.read(file.path)):
            for kind, name in (("labels", "seg.png"), ("instances", "inst.png"), ("images", "png")):
                (folder / "pairs" / kind).mkdir(parents=True, exist_ok=True)
                (folder / "pairs" / kind / f"{key}.png").write_bytes(fields[name])
    bank = build_bank(StreetscapesConfig(scenes=3).open(), resolution=Resolution(256, 128))
    (folder / "bank.parquet").write_bytes(bank_to_parquet(bank))
    return folder


KINDS: dict[str, Callable[[Inputs, random.Random], list[str]]] = {
    "recipes": Inputs.recipes,
    "yaml": Inputs.yaml,
    "pngs": Inputs.pngs,
    "tars": Inputs.tars,
    "parquet": Inputs.parquet,
    "safetensors": Inputs.safetensors,
    "model.json": Inputs.model_json,
    "dataset.json": Inputs.dataset_json,
    "state": Inputs.state,
    "records": Inputs.records,
}


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    return make_good(tmp_path_factory.mktemp("fuzz"))


def fuzz(good: Path, work: Path, kind: str, seeds: range) -> None:
    inputs = Inputs(good, work)
    os.environ["HOME"] = str(work / "home")
    for seed in seeds:
        argv = KINDS[kind](inputs, random.Random(f"{kind}/{seed}"))
        try:
            fuzzing.check(fuzzing.run(argv, work))
        except BaseException as error:
            error.add_note(f"{kind}, seed {seed}: synthgen {' '.join(argv)}")
            raise


def fuzz_and_tell(said: "Queue[str]", good: Path, work: Path, kind: str, seeds: range) -> None:
    try:
        fuzz(good, work, kind, seeds)
    except BaseException as error:
        said.put("".join(traceback.format_exception(error)))
    else:
        said.put("")


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_input_is_refused_in_words_or_read(good, kind, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fuzz(good, tmp_path / "work", kind, range(QUICK))


def test_the_many_are_twenty_thousand():
    assert sum(MANY.values()) == 20_000


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_twenty_thousand_damaged_inputs_are_refused_in_words_or_read(good, kind, tmp_path):
    said = CHILDREN.Queue()
    children = [
        start(fuzz_and_tell, said, good, tmp_path / str(n), kind, range(QUICK + n, QUICK + MANY[kind], _PROCESSES))
        for n in range(_PROCESSES)
    ]
    failures = [said.get(timeout=3600) for _ in children]
    for child in children:
        child.join(60)
    assert not any(failures), "\n".join(failures)
