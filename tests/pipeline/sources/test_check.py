"""A check counts what is there and lists all that is wrong, each with its file."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands.sources import _report_text
from pipeline.sources.base import Unpaired
from pipeline.sources.check import check_source, on_cluster, on_threads
from pipeline.sources.cityscapes import CityscapesConfig


@pytest.fixture
def config(cityscapes: Path) -> CityscapesConfig:
    return CityscapesConfig(root=str(cityscapes))


def test_a_sound_source_is_counted(config, street_maps):
    report = check_source(config.open())
    assert report.sound
    assert (report.scenes, report.read, report.images) == (3, 3, 3)
    assert report.sizes == {(40, 24): 3}
    assert report.pixels["car"] == sum(int((street_maps(seed)[0] == 26).sum()) for seed in range(3))
    assert report.scenes_with["car"] == 3
    assert report.instances == {"car": 6}
    assert report.attributes == {"city": {"aachen": 2, "ulm": 1}}


def test_everything_wrong_is_listed_with_its_file(config, cityscapes, street_maps, encode_png):
    train = cityscapes / "gtFine/train/aachen"
    cut = train / "aachen_000000_000019_gtFine_instanceIds.png"
    cut.write_bytes(cut.read_bytes()[:50])
    labels = street_maps(1)[0]
    labels[0, :7] = 77
    strange = train / "aachen_000001_000019_gtFine_labelIds.png"
    strange.write_bytes(encode_png(labels))
    lost = cityscapes / "leftImg8bit/train/ulm/ulm_000002_000019_leftImg8bit.png"
    lost.unlink()
    report = check_source(config.open())
    assert not report.sound
    assert report.broken == [
        ("aachen_000000_000019", f"{cut}: a truncated PNG: it ends after 50 bytes"),
        ("aachen_000001_000019", f"{strange}: holds id 77 (7 pixels), no class of catalog cityscapes"),
    ]
    assert report.unknown_ids == {77: 7}
    assert report.unpaired == [
        Unpaired(f"{cityscapes}/gtFine/train/ulm/ulm_000002_000019_gtFine_labelIds.png", "no image of this name")
    ]


def test_a_limit_reads_evenly_over_the_source(config):
    source = config.open()
    report = check_source(source, limit=2)
    assert (report.scenes, report.read) == (3, 2)
    assert check_source(source, limit=99).read == 3


@pytest.mark.parametrize("threads", [1, 3])
def test_the_report_does_not_depend_on_threads(config, threads):
    seen = []
    report = check_source(config.open(), examined=on_threads(threads), advance=lambda: seen.append(1))
    assert report.as_dict() == check_source(config.open()).as_dict()
    assert len(seen) == 3


def test_what_a_cluster_is_sent_and_sends_back_pickles_and_is_the_same(config, cityscapes, monkeypatch):
    def map_elsewhere(make, items, cluster, name):
        assert (cluster, name) == ("cluster at ray://head", "check")
        work = pickle.loads(pickle.dumps(make))()
        return (pickle.loads(pickle.dumps(work(item))) for item in items)

    monkeypatch.setattr("orchestration.cluster.connect", lambda address: f"cluster at {address}")
    monkeypatch.setattr("orchestration.parallel.map_parallel", map_elsewhere)
    (cityscapes / "leftImg8bit/train/ulm/ulm_000002_000019_leftImg8bit.png").write_bytes(b"")
    report = check_source(config.open(), examined=on_cluster("ray://head"))
    assert not report.sound
    assert report.as_dict() == check_source(config.open()).as_dict()


def test_wide_sources_are_counted_too(small_source):
    report = check_source(small_source("coco_stuff").open())
    assert report.instances == {"person": 2, "car": 2}
    assert report.pixels["unlabelled"] == 2 * 5
    assert sum(report.pixels.values()) == 2 * 24 * 40
    assert np.isclose(report.pixels["sky-other"], 2 * (12 * 40 - 5))


def test_scenes_in_which_nothing_is_labelled_are_listed(config, cityscapes, street_maps, encode_png):
    for what, kind in (("labelIds", np.uint8), ("instanceIds", np.uint16)):
        empty = cityscapes / f"gtFine/train/aachen/aachen_000000_000019_gtFine_{what}.png"
        empty.write_bytes(encode_png(np.zeros(street_maps(0)[0].shape, kind)))
    report = check_source(config.open())
    assert report.sound
    assert report.all_void == ["aachen_000000_000019"]
    said = _report_text(config.open(), report)
    assert "  nothing is labelled in 1 scene, which teaches nothing: aachen_000000_000019" in said.splitlines()
