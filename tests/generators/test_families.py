"""What every family of the table must do, and that a new one needs nothing but its own folder and a line."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from generators import FAMILIES, family_named
from generators.checkpoint import load_weights, save_weights
from generators.family import Batch, Family, FamilyConfig, Generator, LabelSpace, Optimizers, System, Turn
from generators.inference import Renderer
from generators.layout import Layout
from generators.recompute import recompute_activations
from generators.style import Style, StyleKind

SPACE = LabelSpace(num_channels=6, thing_channels=(4, 5), void_channels=(0,))

# A configuration of every family that is small enough for a test. A family without one fails here by name.
TINY: dict[str, dict[str, object]] = {
    "pix2pixhd": {
        "base_channels": 4,
        "num_downsamplings": 2,
        "num_blocks": 1,
        "num_enhancers": 1,
        "num_enhancer_blocks": 1,
        "encoder_channels": 2,
        "encoder_downsamplings": 2,
        "discriminator_channels": 4,
    },
    "spade": {"base_channels": 4, "hidden_channels": 8, "upsampling": "normal", "discriminator_channels": 4},
    "oasis": {"base_channels": 4, "hidden_channels": 8, "noise_dim": 4, "discriminator_channels": 4},
    "ccfpse": {
        "base_channels": 4,
        "hidden_channels": 8,
        "upsampling": "normal",
        "pyramid_channels": 4,
        "discriminator_channels": 4,
    },
    "lab2pix_v1": {
        "base_channels": 2,
        "hidden_channels": 4,
        "trunk_blocks": 1,
        "style_dim": 4,
        "discriminator_channels": 4,
        "backbone_channels": 4,
        "segmenter_channels": 4,
    },
    "lab2pix_v2": {
        "base_channels": 4,
        "hidden_channels": 8,
        "upsampling": "normal",
        "use_vae": True,
        "start_grid": (1, 2),
        "encoder_channels": 2,
        "style_dim": 4,
        "global_channels": 4,
        "discriminator_channels": 4,
        "backbone_channels": 4,
    },
    "pix2pix": {"base_channels": 4, "levels": 4, "discriminator_channels": 4},
    "crn": {"base_channels": 32, "modules": 4, "discriminator_channels": 4},
}


@pytest.fixture(params=sorted(FAMILIES))
def family(request) -> Family:
    return FAMILIES[request.param]


@pytest.fixture
def config(family) -> FamilyConfig:
    assert family.name in TINY, f"give {family.name} a tiny configuration here"
    return family.config(**TINY[family.name])


@pytest.fixture
def system(family, config) -> System:
    torch.manual_seed(0)
    return family.build_system(config, SPACE)


def size_for(generator: Generator, times: int = 1) -> tuple[int, int]:
    """Width and height the generator takes without padding, 64x32 or more."""
    height = max(32, generator.stride) * times
    return 2 * height, height


def some_batch(width: int, height: int, size: int = 2) -> Batch:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 6, (size, height // 8, width // 8)).repeat(8, 1).repeat(8, 2)
    instances = np.where(labels >= 4, labels * 1000 + 1, labels)
    image = rng.uniform(-1, 1, (size, 3, height, width)).astype(np.float32)
    return Batch(torch.from_numpy(labels), torch.from_numpy(instances.astype(np.int32)), torch.from_numpy(image))


def some_style(generator: Generator, batch: Batch) -> torch.Tensor | None:
    size, height, width = batch.labels_BHW.shape
    shape = {
        StyleKind.NONE: None,
        StyleKind.GLOBAL: (size, generator.style_dim),
        StyleKind.INSTANCE: (size, generator.style_dim, height, width),
        StyleKind.NOISE: (size, generator.style_dim, height, width),
    }[generator.style_kind]
    return None if shape is None else torch.randn(shape, generator=torch.Generator().manual_seed(1))


def test_row_of_the_table_carries_its_own_name(family):
    assert FAMILIES[family.name] is family
    assert family_named(family.name) is family
    assert family.config.model_config.get("frozen")
    assert family.config.model_config.get("extra") == "forbid"


@pytest.mark.parametrize("times", [1, 2])
@torch.inference_mode()
def test_image_has_the_size_of_its_labels_and_lies_between_minus_one_and_one(family, config, times):
    generator = family.build_generator(config, SPACE).eval()
    width, height = size_for(generator, times)
    batch = some_batch(width, height)
    condition = generator.condition(batch.labels_BHW, batch.instances_BHW)
    image = generator(condition, some_style(generator, batch))
    assert image.shape == (2, 3, height, width)
    assert image.dtype == torch.float32
    assert image.abs().max() <= 1


@torch.inference_mode()
def test_generator_without_a_given_style_draws_its_own(family, config):
    generator = family.build_generator(config, SPACE).eval()
    batch = some_batch(*size_for(generator))
    condition = generator.condition(batch.labels_BHW, batch.instances_BHW)
    torch.manual_seed(3)
    first = generator(condition, None)
    torch.manual_seed(3)
    assert torch.equal(generator(condition, None), first)


def test_generator_refuses_a_label_that_is_no_channel(family, config):
    generator = family.build_generator(config, SPACE)
    batch = some_batch(64, 32)
    with pytest.raises(ValueError, match=r"^label channel 6 is outside 0\.\.5; "):
        generator.condition(batch.labels_BHW + 1, batch.instances_BHW)


def test_both_turns_reach_every_parameter_with_finite_losses(system):
    batch = some_batch(*size_for(system.generator, 2))
    players = system.optimizers()
    players.generator.zero_grad()
    turn = system(batch, "generator")
    torch.autograd.backward(turn.total)
    assert_reached(system, players.generator)
    assert turn.fake_BCHW.shape == batch.image_BCHW.shape
    assert not turn.fake_BCHW.requires_grad
    players.generator.step()
    players.discriminator.zero_grad()
    judged = system(batch, "discriminator", turn.fake_BCHW)
    torch.autograd.backward(judged.total)
    assert_reached(system, players.discriminator)
    for name, term in {"total": turn.total, "D total": judged.total, **turn.terms, **judged.terms}.items():
        assert torch.isfinite(term), name


def assert_reached(system: System, optimizer: torch.optim.Optimizer) -> None:
    names = {parameter: name for name, parameter in system.named_parameters()}
    for parameter in (weight for group in optimizer.param_groups for weight in group["params"]):
        assert parameter.grad is not None, f"{names[parameter]} gets no gradient"
        assert torch.isfinite(parameter.grad).all(), f"{names[parameter]} gets a gradient that is not finite"


def test_generators_turn_leaves_the_discriminator_alone(system):
    before = {name: weight.clone() for name, weight in system.named_parameters()}
    players = system.optimizers()
    torch.autograd.backward(system(some_batch(*size_for(system.generator, 2)), "generator").total)
    owned = {id(weight) for group in players.discriminator.param_groups for weight in group["params"]}
    for name, weight in system.named_parameters():
        assert torch.equal(weight, before[name]), name
        assert weight.requires_grad or id(weight) not in owned, f"{name} stays frozen"
        assert id(weight) not in owned or weight.grad is None, f"{name} got a gradient in the generator's turn"


def test_discriminators_turn_needs_an_image(system):
    with pytest.raises(ValueError, match=r"^the discriminator's turn needs the generator's image$"):
        system(some_batch(64, 32), "discriminator")


def losses_of_two_steps(family: Family, config: FamilyConfig) -> list[float]:
    torch.manual_seed(11)
    system, totals = family.build_system(config, SPACE), []
    batch = some_batch(*size_for(system.generator, 2))
    players = system.optimizers()
    for _ in range(2):
        turn = system(batch, "generator")
        players.generator.zero_grad()
        torch.autograd.backward(turn.total)
        players.generator.step()
        judged = system(batch, "discriminator", turn.fake_BCHW)
        players.discriminator.zero_grad()
        torch.autograd.backward(judged.total)
        players.discriminator.step()
        totals += [turn.total.item(), judged.total.item()]
    return totals


def test_training_is_the_same_again_from_the_same_seed(family, config):
    assert losses_of_two_steps(family, config) == losses_of_two_steps(family, config)


def state_after_two_steps(system: System) -> tuple[list[float], dict[str, torch.Tensor]]:
    torch.manual_seed(11)
    batch, totals = some_batch(*size_for(system.generator, 2)), []
    players = system.optimizers()
    for _ in range(2):
        turn = system(batch, "generator")
        torch.autograd.backward(turn.total)
        players.generator.step()
        players.generator.zero_grad()
        judged = system(batch, "discriminator", turn.fake_BCHW)
        torch.autograd.backward(judged.total)
        players.discriminator.step()
        players.discriminator.zero_grad()
        totals += [turn.total.item(), judged.total.item()]
    return totals, system.state_dict()


def test_recomputed_activations_give_the_same_losses_weights_and_statistics(system):
    saving = copy.deepcopy(system)
    assert recompute_activations(saving) > 0
    losses, state = state_after_two_steps(system)
    saved_losses, saved_state = state_after_two_steps(saving)
    assert saved_losses == losses
    for name, tensor in state.items():
        assert torch.equal(saved_state[name], tensor), name


def test_weights_come_back_from_a_file(family, config, tmp_path):
    ours, other = family.build_system(config, SPACE), family.build_system(config, SPACE)
    save_weights(ours, tmp_path / "system.safetensors")
    load_weights(other, tmp_path / "system.safetensors")
    for name, tensor in ours.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name


def test_system_trains_the_generator_and_encoder_it_can_build_alone(family, config, system):
    """A model directory holds their weights apart from the system's."""
    family.build_generator(config, SPACE).load_state_dict(system.generator.state_dict())
    encoder = family.build_encoder(config, SPACE)
    assert (encoder is None) == (system.encoder is None)
    if encoder is not None:
        encoder.load_state_dict(system.encoder.state_dict())


@torch.inference_mode()
def test_style_of_a_real_image_fits_the_generator(system):
    batch = some_batch(*size_for(system.generator))
    style = system.eval().encode_style(batch.image_BCHW, batch.instances_BHW)
    assert (style is None) == (system.encoder is None)
    if style is not None:
        wanted = some_style(system.generator, batch)
        assert wanted is not None
        assert style.shape == wanted.shape


@torch.inference_mode()
def test_one_layout_in_several_styles_gives_the_images_of_each_style_alone(family, config):
    torch.manual_seed(0)
    fast = family.build_generator(config, SPACE).for_inference(torch.device("cpu"))
    batch = some_batch(*size_for(fast), size=1)
    condition = fast.condition(batch.labels_BHW, batch.instances_BHW)
    style = some_style(fast, batch)
    if fast.style_kind is StyleKind.NOISE and style is not None:
        style = style[..., :1, :1].expand_as(style)  # one vector an image, as rendering gives it
    styles = [None] if style is None else [style, 2 * style]
    for room_bytes in (0, 2**28):
        layout = Layout(condition, room_bytes)
        for _ in range(2):
            images = fast.in_styles(layout, styles)
            assert all(torch.equal(image, fast(condition, one)) for image, one in zip(images, styles, strict=True))
    if fast.shares_layouts:
        assert layout.num_kept > 0


def test_renderer_runs_every_family_and_gives_each_sample_its_own_image(family, config):
    torch.manual_seed(0)
    generator = family.build_generator(config, SPACE)
    batch = some_batch(*size_for(generator), size=3)
    labels, instances = batch.labels_BHW.numpy().astype(np.uint8), batch.instances_BHW.numpy()
    rng = np.random.default_rng(2)
    styles = [some_drawn_style(generator, ids, rng) for ids in instances]
    renderer = Renderer(generator, "cpu", "float32")
    images = renderer.render(labels, instances, styles)
    assert images.shape == (*labels.shape, 3)
    assert images.dtype == np.uint8
    for index in (2, 0):
        alone = renderer.render(labels[[index]], instances[[index]], [styles[index]])
        np.testing.assert_array_equal(alone[0], images[index])


def some_drawn_style(generator: Generator, instances: np.ndarray, rng: np.random.Generator) -> Style | None:
    if generator.style_kind == StyleKind.NONE:
        return None
    ids = np.unique(instances).astype(np.int32) if generator.style_kind == StyleKind.INSTANCE else None
    vectors = rng.normal(size=(1 if ids is None else len(ids), generator.style_dim)).astype(np.float32)
    return Style(ids, vectors)


def test_configuration_travels_to_workers(config):
    assert pickle.loads(pickle.dumps(config)) == config


def test_unknown_family_is_named_with_the_nearest():
    with pytest.raises(ValueError, match=r"^unknown family 'pix2pixhq'; did you mean 'pix2pixhd'\?$"):
        family_named("pix2pixhq")


class PaintConfig(FamilyConfig):
    rate: float = 0.1


class Painter(Generator):
    """The smallest family there can be: a colour for every class."""

    style_kind, style_dim, stride = StyleKind.NONE, 0, 1

    def __init__(self, space: LabelSpace) -> None:
        super().__init__()
        self.colours = nn.Embedding(space.num_channels, 3)

    def condition(self, labels_BHW, instances_BHW):
        return labels_BHW.long()

    def forward(self, condition, style):
        return self.colours(condition).permute(0, 3, 1, 2).tanh()


class PaintSystem(System):
    encoder = None

    def __init__(self, config: PaintConfig, space: LabelSpace) -> None:
        super().__init__()
        self.rate = config.rate
        self.generator = Painter(space)
        self.brightness = nn.Parameter(torch.zeros(()))

    def generator_turn(self, batch):
        fake = self.generator(self.generator.condition(batch.labels_BHW, batch.instances_BHW), None)
        loss = (fake - batch.image_BCHW).square().mean()
        return Turn(loss, {"colour": loss.detach()}, fake.detach())

    def discriminator_turn(self, batch, fake_BCHW):
        return Turn((self.brightness - fake_BCHW.mean()).square(), {}, fake_BCHW)

    def optimizers(self):
        return Optimizers(
            torch.optim.SGD(self.generator.parameters(), self.rate), torch.optim.SGD([self.brightness], self.rate)
        )


TOY = Family(
    name="painter",
    paper="none",
    config=PaintConfig,
    build_generator=lambda config, space: Painter(space),
    build_encoder=lambda config, space: None,
    build_system=PaintSystem,
)


def test_a_family_from_outside_needs_one_line_of_the_table(monkeypatch):
    monkeypatch.setitem(FAMILIES, "painter", TOY)
    family = family_named("painter")
    system = family.build_system(family.config(rate=1.0), SPACE)
    batch, players, losses = some_batch(64, 32), system.optimizers(), []
    for _ in range(30):
        turn = system(batch, "generator")
        players.generator.zero_grad()
        torch.autograd.backward(turn.total)
        players.generator.step()
        losses.append(turn.total.item())
    assert all(after <= before for before, after in pairwise(losses))
    images = Renderer(system.generator, "cpu", "float32").render(
        batch.labels_BHW.numpy().astype(np.uint8), None, [None] * 2
    )
    colours = {tuple(pixel) for pixel in images[batch.labels_BHW.numpy() == 4]}
    assert len(colours) == 1, "every pixel of a class has its colour"
