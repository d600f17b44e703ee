"""A size that stretches scenes, or shows little of them, is told of before anything is trained or rendered."""

import re

import pytest

from pipeline.cli import main
from pipeline.resolution import Resolution
from pipeline.sources.cityscapes import CityscapesConfig
from pipeline.sources.shape import note_of_cut, note_of_shape, own_sizes, usual_pixels
from pipeline.sources.streetscapes import StreetscapesConfig

CAMVID = [Resolution(960, 720)] * 3


def test_another_shape_is_told_with_a_size_of_the_own_one():
    assert note_of_shape(CAMVID, Resolution(256, 128)) == (
        "scenes of 960x720 become 1.50 times as wide for their size at 256x128; 208x160 would keep their shape"
    )
    assert note_of_shape(CAMVID, Resolution(256, 256)) == (
        "scenes of 960x720 become 1.33 times as high for their size at 256x256; 288x224 would keep their shape"
    )


@pytest.mark.parametrize("multiple", [16, 32, 64])
@pytest.mark.parametrize("own", [(40, 24), (1242, 375), (640, 480), (2048, 1024), (100, 1000), (16, 16)])
def test_an_advised_size_keeps_the_shape_is_about_as_large_and_fits_the_networks(own, multiple):
    for size in ((64, 32), (128, 32), (512, 512), (2048, 1024), (32, 256)):
        said = note_of_shape([Resolution(*own)], Resolution(*size), multiple)
        for advised in re.findall(r"; (\d+x\d+) would keep", said):
            width, height = Resolution.parse(advised)
            assert note_of_shape([Resolution(*own)], Resolution(width, height)) == ""
            assert width % multiple == height % multiple == 0
            assert 0.5 <= width * height / (size[0] * size[1]) <= 2


@pytest.mark.parametrize("size", [(960, 720), (240, 176), (256, 192), (264, 192)])
def test_the_own_shape_and_what_nobody_sees_are_no_matter(size):
    assert note_of_shape(CAMVID, Resolution(*size)) == ""


def test_one_scene_of_another_shape_does_not_speak_for_the_others():
    assert note_of_shape([*CAMVID, Resolution(720, 960)], Resolution(256, 192)) == ""


def test_small_cuts_out_of_scenes_of_their_own_size_are_told():
    pixels = usual_pixels([*CAMVID, Resolution(16, 16)])
    assert pixels == 960 * 720
    said = note_of_cut(Resolution(240, 176), pixels, "scenes of their own size")
    assert said.startswith(
        "a step sees 6% of a picture: 240x176 cut at random out of scenes of their own size; to learn"
    )
    assert note_of_cut(Resolution(720, 512), pixels, "any") == ""


def test_sizes_are_those_of_the_files_and_made_up_scenes_have_none(cityscapes):
    assert own_sizes(CityscapesConfig(root=str(cityscapes)).open()) == [Resolution(40, 24)] * 3
    (cityscapes / "gtFine/train/ulm/ulm_000002_000019_gtFine_labelIds.png").write_bytes(b"broken")
    assert own_sizes(CityscapesConfig(root=str(cityscapes)).open()) == [Resolution(40, 24)] * 2
    assert own_sizes(StreetscapesConfig(format="streetscapes", scenes=3).open()) == []
    assert note_of_shape([], Resolution(64, 64)) == note_of_cut(Resolution(64, 64), usual_pixels([]), "any") == ""


def test_training_says_so(cityscapes, tmp_path, capsys):
    options = [f"source={{format: cityscapes, root: '{cityscapes}'}}", "resolution=64x64", "validation.split=null"]
    sets = [option for value in options for option in ("--set", value)]
    with pytest.raises(SystemExit) as left:
        main(["train", "--config", "streetscapes", "--dry-run", "--output", str(tmp_path / "model"), *sets])
    said = capsys.readouterr().err
    assert not left.value.code, said
    assert "warning: scenes of 40x24 become 1.67 times as high for their size at 64x64; 80x48 would keep their" in said
