"""What a frozen segmenter says of a drawn image, against the same numbers worked out pixel by pixel."""

import pytest
import torch

from generators.checkpoint import save_weights
from generators.families import family_named
from generators.family import Batch, LabelSpace
from generators.segmenter import Segmenter
from generators.segmenter_loss import SegmenterLoss, load_segmenter_loss

CHANNELS = 4
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")],
    ),
]


@pytest.fixture
def segmenter():
    torch.manual_seed(0)
    return Segmenter(CHANNELS, width=8).eval()


def pair(height=32, width=48):
    draws = torch.Generator().manual_seed(1)
    images = torch.rand(2, 2, 3, height, width, generator=draws) * 2 - 1
    return images[0], images[1], torch.randint(0, CHANNELS, (2, height, width), generator=draws)


def test_both_terms_are_what_they_say(segmenter):
    fake, real, labels = pair()
    found = SegmenterLoss(segmenter)(fake, real, labels)
    with torch.no_grad():
        levels = zip(segmenter.features(fake), segmenter.features(real), strict=True)
        features = sum(((a - b).abs().mean() / b.abs().mean()).item() for a, b in levels) / 4
        missed = -segmenter.half_size_logits(fake).log_softmax(1)
        shown = segmenter.half_size_logits(real).softmax(1)
    by_pixel = [
        (missed[b, label, y, x] * shown[b, label, y, x]).item()
        for b in range(2)
        for y in range(16)
        for x in range(24)
        for label in [int(labels[b, 2 * y, 2 * x])]
    ]
    assert found.features.item() == pytest.approx(features, rel=1e-5)
    assert found.labels.item() == pytest.approx(sum(by_pixel) / len(by_pixel), rel=1e-5)


def test_a_photograph_looks_like_itself_and_a_size_off_the_stride_is_taken(segmenter):
    fake, _, labels = pair(30, 41)
    assert SegmenterLoss(segmenter)(fake, fake, labels).features.item() == 0


def test_a_label_that_the_photograph_does_not_show_asks_nothing(segmenter):
    fake, real, labels = pair()
    with torch.no_grad():
        segmenter.classify.bias[3] = -60.0  # it never finds class 3
    assert SegmenterLoss(segmenter)(fake, real, torch.full_like(labels, 3)).labels.item() == pytest.approx(0, abs=1e-9)
    assert SegmenterLoss(segmenter)(fake, real, torch.zeros_like(labels)).labels.item() > 0


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_it_says_the_same_on_any_device_and_in_half_the_bits(segmenter, device, precision):
    fake, real, labels = pair()
    wanted = SegmenterLoss(segmenter)(fake, real, labels)
    fake_there = fake.to(device).requires_grad_()
    with torch.autocast(device, precision, enabled=precision is not torch.float32):
        found = SegmenterLoss(segmenter)(fake_there, real.to(device), labels.to(device))
    rel = 1e-4 if precision is torch.float32 else 0.03
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype is torch.float32
        assert one.item() == pytest.approx(other.item(), rel=rel)
    sum(found).backward()
    assert torch.isfinite(fake_there.grad).all()


def test_gradients_reach_the_drawn_image_and_no_weight(segmenter):
    fake, real, labels = pair()
    sum(SegmenterLoss(segmenter)(fake.requires_grad_(), real, labels)).backward()
    assert fake.grad is not None
    assert fake.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in segmenter.parameters())


def test_weights_come_from_a_judge_and_what_does_not_fit_is_refused(segmenter, tmp_path):
    path = tmp_path / "segmenter.safetensors"
    save_weights(segmenter, path)
    losses = load_segmenter_loss(path, CHANNELS), SegmenterLoss(segmenter)
    loaded, given = (loss(*pair()) for loss in losses)
    assert [term.item() for term in loaded] == [term.item() for term in given]
    with pytest.raises(ValueError, match=r"this segmenter tells 4 classes apart, the label maps have 7; teach one on"):
        load_segmenter_loss(path, 7)
    with pytest.raises(ValueError, match=r"no such file; `synthgen evaluate judge` makes one$"):
        load_segmenter_loss(tmp_path / "none", CHANNELS)
    save_weights(torch.nn.Linear(2, 2), path)
    with pytest.raises(ValueError, match=r"not the weights of a small segmenter, as `synthgen evaluate judge` makes"):
        load_segmenter_loss(path, CHANNELS)


def test_a_url_of_a_segmenter_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"s3://judges/1: copy it to a path that all workers see, and give that"):
        family_named("spade").config(segmenter_weights="s3://judges/1")


SMALL = {"base_channels": 4, "discriminator_channels": 4}
FAMILIES_TAUGHT = {
    "pix2pixhd": {"num_downsamplings": 2, "num_blocks": 1, "encoder_channels": 4, "encoder_downsamplings": 2},
    "spade": {"hidden_channels": 4, "discriminator_downsamplings": 1},
    "ccfpse": {},
    "lab2pix_v2": {},
}


@pytest.mark.parametrize("name", FAMILIES_TAUGHT)
def test_a_family_trains_with_it_and_keeps_it_out_of_its_weights(name, segmenter, tmp_path):
    path = tmp_path / "segmenter.safetensors"
    save_weights(segmenter, path)
    family = family_named(name)
    config = family.config(**SMALL, **FAMILIES_TAUGHT[name], segmenter_weights=str(path), segmenter_weight=0)
    system, without = (
        family.build_system(each, LabelSpace(CHANNELS))
        for each in (config, config.model_copy(update={"segmenter_weights": None}))
    )
    assert system.state_dict().keys() == without.state_dict().keys()
    _, image, labels = pair(64, 128)
    batch = Batch(labels, labels.int(), image)
    turn = system.generator_turn(batch)
    assert turn.terms["labels"].item() > 0
    assert "labels" not in without.generator_turn(batch).terms
    said = SegmenterLoss(segmenter)(turn.fake_BCHW, image, labels)
    assert turn.terms["labels"].item() == pytest.approx(said.labels.item(), rel=1e-5)
    assert not any("perceptual" in note for note in system.fallbacks())


@pytest.mark.parametrize("name", FAMILIES_TAUGHT)
def test_both_terms_count_by_their_weights_and_reach_the_generator(name, segmenter, tmp_path):
    path = tmp_path / "segmenter.safetensors"
    save_weights(segmenter, path)
    family = family_named(name)
    _, image, labels = pair(64, 128)
    batch = Batch(labels, labels.int(), image)
    first: dict[str, torch.Tensor] = {}

    def turn_with(feature_weight, label_weight):
        """Total, terms and the generator's gradient, of the same networks and draws whatever the weights."""
        options = {"segmenter_weights": str(path), "segmenter_weight": feature_weight, "label_weight": label_weight}
        config = family.config(**SMALL, **FAMILIES_TAUGHT[name], **options)
        system = family.build_system(config, LabelSpace(CHANNELS))
        first.update(first or {key: tensor.clone() for key, tensor in system.state_dict().items()})
        system.load_state_dict(first)
        torch.manual_seed(1)
        turn = system.generator_turn(batch)
        turn.total.backward()
        weights = [weight.grad.flatten() for weight in system.generator.parameters() if weight.grad is not None]
        return turn.total.item(), turn.terms, torch.cat(weights)

    none, terms, still = turn_with(0.0, 0.0)
    both, _, _ = turn_with(3.0, 5.0)
    assert both - none == pytest.approx(3 * terms["segmenter"].item() + 5 * terms["labels"].item(), rel=1e-3)
    for weights in ((1e4, 0.0), (0.0, 1e4)):  # beside the gradients of untrained adversaries, which are large
        assert (turn_with(*weights)[2] - still).abs().max() > 1e-3 * still.abs().max(), weights


def test_a_weight_without_a_teacher_is_refused_and_a_config_written_out_whole_is_not():
    config = family_named("spade").config
    with pytest.raises(ValueError, match=r"label_weight weighs nothing without segmenter_weights"):
        config(label_weight=2)
    assert config.model_validate(config().model_dump()) == config()
    assert config(label_weight=2, segmenter_weights=None).label_weight == 2
