"""`synthgen augment` on a real S3 server, workers and all: killed, resumed, checked, read by others, secrets kept."""

import json
import time

import numpy as np
import pytest

from pipeline.storage import Store
from tests.reliability.object_store.gateway import keys_of
from tests.reliability.process_tree import ProcessTree, synthgen
from tests.reliability.tiny_run import contents, write_recipe

pytestmark = pytest.mark.soak

SAMPLES = 12


@pytest.fixture(scope="module")
def undisturbed(augment, tmp_path_factory) -> Store:
    return augment(str(tmp_path_factory.mktemp("undisturbed") / "out"), SAMPLES)


@pytest.fixture
def command(server, sign_in, tmp_path):
    """Runs a command line with the keys of the owner in its environment, as a person would."""
    key, secret = keys_of("owner")
    environment = {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.endpoint,
    }

    def start(*arguments: str) -> ProcessTree:
        return synthgen(*arguments, log=tmp_path / f"{arguments[0]}.log", environment=environment)

    return start


def files_of(run: ProcessTree) -> list[bytes]:
    return [path.read_bytes() for path in run.temporary.rglob("*") if path.is_file()]


def test_a_run_is_killed_resumed_checked_and_keeps_its_secrets(bucket, command, tiny_model, tmp_path, undisturbed):
    url, (_, secret) = f"s3://{bucket}/run", keys_of("owner")
    augment = "augment", "--recipe", str(write_recipe(tmp_path / "tiny.yaml", tiny_model, url, SAMPLES)), "--cpus", "2"
    store, kept = Store(url), []
    while not store.list(".synthgen/commits"):
        with command(*augment) as run:
            while not store.list(".synthgen/commits") and run.ended() is None:
                time.sleep(0.1)
            assert run.ended() is None or not run.finish(0)
            kept += files_of(run)
    before = {file.path for file in store.list(".synthgen/commits")}
    augment_again, checks = [*augment, "--json"], (["verify", url], ["repair", url, "--dry-run"])
    for arguments in (["status", url, "--json"], augment_again, *checks):
        done = False
        while not done:
            with command(*arguments) as run:
                done = run.finish(400)
                kept += files_of(run)
    said = {path.stem: path.read_text() for path in tmp_path.glob("*.log")}
    assert json.loads(said["status"])["state"] in ("stopped", "running")
    assert f'"samples_made_now": {SAMPLES - 2 * len(before)}' in said["augment"]
    assert said["repair"] == f"{url}: nothing to repair\n"
    assert contents(store) == contents(undisturbed)
    everything = [
        *(text.encode() for text in said.values()),
        *kept,
        *contents(store).values(),
        store.read("report.html"),
    ]
    assert [text for text in everything if secret.encode() in text] == []


def test_other_readers_find_every_sample_as_it_was_written(bucket, server, undisturbed, tmp_path, monkeypatch):
    """webdataset, Hugging Face (which downloads first) and Ray Data, each in its own plain way, from the bucket."""
    store = Store(f"s3://{bucket}/run")
    for file in undisturbed.list():
        store.write_atomic(file.path, undisturbed.read(file.path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    pattern = f"s3://{bucket}/run/shards/train-*.tar"
    wanted = {key: fields["inst.png"] for key, fields in _samples(undisturbed)}
    assert _by_webdataset(pattern) == wanted
    assert _by_ray(pattern) == wanted
    of_hugging_face = _by_hugging_face(pattern)
    assert of_hugging_face.keys() == wanted.keys()
    for key, pixels in of_hugging_face.items():
        from pipeline.shards.pixels import decode_instances

        np.testing.assert_array_equal(pixels, decode_instances(wanted[key]))


def _samples(store: Store):
    from pipeline.shards.tar import read_samples

    for file in store.list("shards"):
        yield from read_samples(store.read(file.path))


def _by_webdataset(pattern: str) -> dict[str, bytes]:
    import fsspec
    import webdataset as wds

    wds.gopen_schemes["s3"] = lambda url, *_args, **_options: fsspec.open(url, "rb").open()
    urls = [f"s3://{path}" for path in fsspec.filesystem("s3").glob(pattern)]
    return {sample["__key__"]: sample["inst.png"] for sample in wds.WebDataset(urls, shardshuffle=False)}


def _by_ray(pattern: str) -> dict[str, bytes]:
    import fsspec
    import ray

    from orchestration.cluster import connect, shutdown

    connect("local", 2)
    try:
        files = fsspec.filesystem("s3")
        rows = ray.data.read_webdataset(files.glob(pattern), filesystem=files, decoder=None).take_all()
    finally:
        shutdown()
    return {row["__key__"]: row["inst.png"] for row in rows}


def _by_hugging_face(pattern: str) -> dict[str, np.ndarray]:
    from datasets import load_dataset

    found = load_dataset("webdataset", data_files={"train": pattern}, split="train")
    return {row["__key__"]: np.asarray(row["inst.png"], np.int32) for row in found}
