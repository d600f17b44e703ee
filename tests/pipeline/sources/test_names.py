"""What the wildcards of a pattern match is the name that pairs."""

import pytest

from pipeline.errors import SourceError
from pipeline.sources.names import by_key, by_stem, fixed_folder, key_of
from pipeline.storage import StoredFile


def files(*paths: str) -> list[StoredFile]:
    return [StoredFile(path, 1) for path in paths]


@pytest.mark.parametrize(
    ("pattern", "path", "stem"),
    [
        ("labels/*.png", "labels/a.png", "a"),
        ("labels/*.png", "labels/a.b.png", "a.b"),
        ("labels/*.png", "labels/sub/a.png", None),
        ("labels/*.png", "labels/a.png.bak", None),
        ("labels/**/*_gt.png", "labels/x/y/a_gt.png", "x/y/a"),
        ("labels/**/*_gt.png", "labels/a_gt.png", "a"),
        ("run?/*.png", "run7/a.png", "7a"),
        ("a+b/*.png", "a+b/c.png", "c"),
        ("a+b/*.png", "aab/c.png", None),
    ],
)
def test_a_stem_is_what_the_wildcards_match(pattern, path, stem):
    assert list(by_stem(files(path), pattern)) == ([] if stem is None else [stem])


def test_folders_can_be_left_out_of_the_stem():
    assert list(by_stem(files("gt/ulm/ulm_1.png"), "**/*.png", folders=False)) == ["ulm_1"]


def test_two_files_of_one_stem_are_both_named():
    with pytest.raises(SourceError) as caught:
        by_stem(files("a/x.png", "b/x.png"), "**/*.png", folders=False)
    assert str(caught.value) == "a/x.png and b/x.png have the same name 'x'; rename one"


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [("a/b/*.png", "a/b"), ("**/*.png", ""), ("a/b*/c.png", "a"), ("*.png", ""), ("a/b.png", "a")],
)
def test_only_the_folder_before_the_first_wildcard_is_listed(pattern, folder):
    assert fixed_folder(pattern) == folder


def test_keys_keep_letters_digits_dash_and_underscore_only():
    assert key_of("Zürich/frame 01.a-b_c") == "Z_rich_frame_01_a-b_c"


def test_keys_are_sorted():
    assert by_key(by_stem(files("b.png", "a.png"), "*.png")) == {"a": "a", "b": "b"}


def test_two_stems_of_one_key_name_both_files():
    with pytest.raises(SourceError) as caught:
        by_key(by_stem(files("a/b.png", "a_b.png"), "**/*.png"))
    assert str(caught.value) == "a/b.png and a_b.png both make the key 'a_b'; rename one"


def test_a_file_without_a_name_makes_no_key():
    with pytest.raises(SourceError, match=r"^labels/\.png: nothing of its name is left for a key$"):
        by_key(by_stem(files("labels/.png"), "labels/*.png"))
