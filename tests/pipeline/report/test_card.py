from collections.abc import Callable

import yaml

from pipeline.report.card import dataset_card
from pipeline.report.summary import RunSummary


def test_the_card_header_names_the_shards_of_every_split(make_summary: Callable[..., RunSummary]) -> None:
    header = yaml.safe_load(dataset_card(make_summary()).split("---\n")[1])
    assert header["configs"][0]["data_files"] == [{"split": "train", "path": "shards/train-*.tar"}]
    assert header["size_categories"] == ["1K<n<10K"]
    assert header["annotations_creators"] == ["machine-generated"]


def test_the_card_lists_the_classes_that_occur_and_no_others(make_summary: Callable[..., RunSummary]) -> None:
    card = dataset_card(make_summary())
    assert "| 2 | car | thing |" in card
    assert "ship" not in card


def test_the_card_says_when_the_source_names_no_licence(make_summary: Callable[..., RunSummary]) -> None:
    card = dataset_card(make_summary())
    assert "Licence of the source: the source names none" in card
    named = dataset_card(make_summary(source={"format": "folder", "split": "train", "licence": "CC-BY-4.0"}))
    assert "Licence of the source: CC-BY-4.0." in named


def test_labels_that_images_show_are_among_the_members_where_there_are_any(
    make_summary: Callable[..., RunSummary],
) -> None:
    with_seen, without = dataset_card(make_summary()), dataset_card(make_summary(seen_pixels={}))
    row = "| `<key>.seen.png` | class ids, void where the image does not show the label: rather train on these |\n"
    assert with_seen.count(row) == 1
    assert with_seen.replace(row, "") == without
    members = without[without.index("| member |") : without.index("## Reading it")].strip().splitlines()
    assert all(line.startswith("| ") or line == "|---|---|" for line in members)
