"""Distances, diversity, looks and outlines, each against a value known beforehand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from label_editing.scene import Scene
from pipeline.errors import InputError
from pipeline.evaluation.boundaries import Boundaries, tolerance_px
from pipeline.evaluation.cost import LiveTensors, measure_cost
from pipeline.evaluation.distances import distances
from pipeline.evaluation.diversity import diversity_segmenter
from pipeline.evaluation.looks import Looks, color_distance
from pipeline.evaluation.published_features import InceptionFeatures, open_inception, open_lpips


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Heusel et al. 2017, equation 6, with scipy's matrix root."""
    from scipy.linalg import sqrtm

    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    root = np.real(sqrtm(cov_a @ cov_b))
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root))


def test_fid_is_the_frechet_distance_of_the_features():
    rng = np.random.default_rng(0)
    real, made = rng.normal(0, 1, (60, 5)), rng.normal(0.5, 2, (80, 5))
    found = distances("segmenter", torch.from_numpy(real), torch.from_numpy(made))
    assert found.fid == pytest.approx(frechet(real, made), rel=1e-6)
    assert found.fid_of_real_halves == pytest.approx(frechet(real[::2], real[1::2]), rel=1e-6)
    assert found.as_data()["fid_segmenter"] == found.fid
    assert not any("inception" in name for name in found.as_data())


def test_kid_of_two_draws_from_one_distribution_is_about_nothing():
    rng = np.random.default_rng(1)
    same = [torch.from_numpy(rng.normal(0, 1, (200, 4))) for _ in range(2)]
    other = torch.from_numpy(rng.normal(1, 1, (200, 4)))
    near, far = distances("segmenter", *same), distances("segmenter", same[0], other)
    assert abs(near.kid) < 0.1 * far.kid
    assert distances("segmenter", *same) == near


def test_three_images_have_no_distribution():
    assert distances("segmenter", torch.rand(3, 4), torch.rand(50, 4)) is None


def test_inception_weights_come_from_the_user_or_not_at_all():
    with pytest.raises(InputError, match=r"^nowhere\.pth: no such file; expected Inception weights"):
        open_inception("nowhere.pth")
    with pytest.raises(InputError, match=r"^nowhere\.pth: no such file; expected AlexNet weights"):
        open_lpips(Path("nowhere.pth"))
    assert open_inception(None) is None
    assert open_lpips(None) is None


def test_inception_numbers_are_distances_of_what_that_network_sees():
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    inception = InceptionFeatures(_Floats(network))
    rng = np.random.default_rng(2)
    real, made = (rng.integers(0, high, (30, 8, 8, 3), np.uint8) for high in (255, 120))
    found = distances("inception", inception.vectors(real), inception.vectors(made))
    assert found.fid == pytest.approx(frechet(real.mean((1, 2)), made.mean((1, 2))), rel=1e-4)
    assert {"fid_inception", "kid_inception"} < set(found.as_data())
    assert not any("segmenter" in name for name in found.as_data())


class _Floats(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network.eval()
        self.eval()

    def forward(self, images):
        return self.network(images.float())


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory):
    """Random weights under torchvision's names."""
    torch.manual_seed(0)
    shapes = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
    state = {}
    for place, (wide, narrow, side) in shapes.items():
        state[f"features.{place}.weight"] = torch.randn(wide, narrow, side, side) / (narrow * side * side) ** 0.5
        state[f"features.{place}.bias"] = torch.randn(wide) * 0.1
    path = tmp_path_factory.mktemp("alexnet") / "alexnet.pth"
    torch.save(state, path)
    return path, state


def test_lpips_is_that_of_torchmetrics_on_the_same_weights(alexnet):
    path, state = alexnet
    network = _theirs(state)
    rng = np.random.default_rng(3)
    images = rng.integers(0, 255, (2, 64, 96, 3), np.uint8)
    one, other = (torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1 for image in images)
    theirs = network(one, other)
    assert open_lpips(path).diversity(list(images)) == pytest.approx(float(theirs), rel=1e-4)
    assert open_lpips(path).diversity([images[0], images[0]]) == pytest.approx(0, abs=1e-7)


def _theirs(state):
    """torchmetrics' own LPIPS, its AlexNet built from these weights instead of downloaded ones."""
    from torchmetrics.functional.image import lpips

    def features(name, pretrained):
        relu = torch.nn.ReLU
        layers = torch.nn.Sequential(
            *(torch.nn.Conv2d(3, 64, 11, 4, 2), relu(), torch.nn.MaxPool2d(3, 2)),
            *(torch.nn.Conv2d(64, 192, 5, padding=2), relu(), torch.nn.MaxPool2d(3, 2)),
            *(torch.nn.Conv2d(192, 384, 3, padding=1), relu(), torch.nn.Conv2d(384, 256, 3, padding=1), relu()),
            *(torch.nn.Conv2d(256, 256, 3, padding=1), relu(), torch.nn.MaxPool2d(3, 2)),
        )
        layers.load_state_dict({key.removeprefix("features."): value for key, value in state.items()})
        return layers

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lpips, "_get_tv_model_features", features)
        return lpips._LPIPS(pretrained=True, net="alex")


def test_weights_of_something_else_are_refused(tmp_path):
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth: not the weights of torchvision's AlexNet: "):
        open_lpips(tmp_path / "other.pth")


def test_live_tensors_count_what_is_held_at_once_and_not_what_was_given():
    given = torch.zeros(1000)
    with LiveTensors() as live:
        one = given + 1  # 4000 bytes
        two = one * 2  # and 4000
        del one
        view = two.view(10, 100)
        three = view + view  # 4000 beside two
        given.view(-1)
    assert live.peak_bytes == 8000
    assert len(three) == 10


def test_the_cost_of_an_image_is_its_work_and_not_the_waiting():
    import time

    cost = measure_cost(7, torch.device("cpu"), lambda: (time.sleep(0.02), torch.ones(250_000)))
    assert cost.parameters == 7
    assert cost.peak_memory_mb == pytest.approx(1.0)
    assert cost.seconds_an_image < 0.015


def test_diversity_is_zero_for_one_look_and_grows_with_the_difference(judge, make_world):
    image = make_world().read_image("flat00")
    slightly, strongly = np.clip(image * 0.9, 0, 255).astype(np.uint8), 255 - image
    assert diversity_segmenter(judge, [image, image]) == pytest.approx(0, abs=1e-6)
    assert 0 < diversity_segmenter(judge, [image, slightly]) < diversity_segmenter(judge, [image, strongly])
    with pytest.raises(ValueError, match=r"^1 image; diversity needs at least 2 of one label map$"):
        diversity_segmenter(judge, [image])


def test_looks_are_means_and_spreads_over_the_pixels_of_a_class(flat_catalog):
    labels = np.array([[1, 1, 2, 2]] * 4, np.uint8)
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, 0], image[:, 1], image[:, 2:] = (10, 20, 30), (30, 20, 10), (7, 7, 7)
    looks = Looks(flat_catalog)
    looks.add(image, labels)
    found = looks.by_class()
    assert found["road"].color == pytest.approx((20, 20, 20))
    assert found["road"].color_spread == pytest.approx((10, 0, 10))
    assert found["sky"].pixels == 8
    assert set(found) == {"road", "sky"}
    assert color_distance(found["road"], found["sky"]) == pytest.approx(np.sqrt(3) * 13)


def test_blurred_surfaces_are_less_sharp(flat_catalog):
    import cv2

    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    labels = np.ones((32, 32), np.uint8)
    sharp, soft = Looks(flat_catalog), Looks(flat_catalog)
    sharp.add(image, labels)
    soft.add(cv2.GaussianBlur(image, (5, 5), 2), labels)
    assert soft.by_class()["road"].sharpness < 0.3 * sharp.by_class()["road"].sharpness


def test_outlines_found_in_place_are_met_and_those_elsewhere_are_not(flat_catalog, make_world):
    scene = make_world().read_scene("flat00")
    there, elsewhere, nothing = (Boundaries(flat_catalog) for _ in range(3))
    channels = flat_catalog.channel_of[scene.labels]
    there.add(channels, scene)
    elsewhere.add(np.roll(channels, (0, 30), (0, 1)), scene)
    nothing.add(np.zeros_like(channels), scene)
    assert there.by_class() == {"car": 1.0}
    assert elsewhere.overall() < 0.8
    assert nothing.overall() == 0.0


def test_outlines_may_lie_off_by_the_tolerance_and_no_more(flat_catalog):
    labels = np.ones((100, 100), np.uint8)
    labels[40:60, 40:60] = 3
    instances = np.where(labels == 3, 3000, labels.astype(np.int32))
    scene = Scene(labels, instances, flat_catalog, "square")
    assert tolerance_px(100, 100) == 1
    for shift, met in ((1, 1.0), (4, 0.5)):
        found = Boundaries(flat_catalog)
        found.add(np.roll(flat_catalog.channel_of[labels], shift, 0), scene)
        assert found.overall() == pytest.approx(met, abs=0.12)


def test_scenes_without_instances_have_no_outlines(flat_catalog):
    found = Boundaries(flat_catalog)
    found.add(np.zeros((4, 4), np.uint16), Scene(np.ones((4, 4), np.uint8), None, flat_catalog, "bare"))
    assert found.overall() is None
    assert found.by_class() == {}
