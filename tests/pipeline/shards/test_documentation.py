"""The snippets of docs/shards.md and of the README, run as they stand on a data set of the tests."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "shards.md"
README = Path(__file__).parents[3] / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(autouse=True)
def _at_the_place_of_the_page(dataset, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    Path(dataset.url).rename(tmp_path / "runs" / "night_cars")
    monkeypatch.chdir(tmp_path)


def test_the_pytorch_snippet_reads_batches_of_maps_with_intact_ids():
    found: dict = {}
    exec(SNIPPETS[0], found)
    assert found["batch"]["image"].shape[1:] == (16, 24, 3)
    assert found["batch"]["instances"].max() >= 26000


def test_the_webdataset_snippet_reads_every_pair_with_intact_ids():
    found: dict = {}
    exec(SNIPPETS[1], found)
    pairs = list(found["pairs"])
    assert len(pairs) == 21
    for image, labels, instances, record in pairs:
        assert image.shape[:2] == labels.shape == instances.shape == (record["height"], record["width"])
        assert instances.max() >= 26000


def test_the_hugging_face_snippet_reads_every_pair_with_intact_ids(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    (snippet,) = (text for text in SNIPPETS if "load_dataset" in text)
    found: dict = {}
    exec(snippet, found)
    assert len(list(found["pairs"])) == 21
    assert found["image"].shape[:2] == found["labels"].shape == found["instances"].shape
    assert found["instances"].max() >= 26000
    assert found["record"]["width"] == found["image"].shape[1]


def test_the_fields_of_a_record_are_those_that_the_page_lists():
    from pipeline.shards.sample import SampleRecord

    listed = re.search(r"    format key source .*?\n\n", PAGE.read_text(), re.DOTALL)
    assert listed is not None
    assert listed[0].split() == list(SampleRecord.model_fields)


def test_the_snippet_of_the_readme_reads_every_pair(capsys):
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(snippet, {})
    assert len(capsys.readouterr().out.splitlines()) == 21
