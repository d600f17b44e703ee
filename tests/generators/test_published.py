"""The authors' checkpoints, rebuilt under their own names: they must become networks that give the authors' images."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from generators import FAMILIES
from generators.conditioning import instance_mean
from generators.family import LabelSpace
from generators.published import Target, adopt, plain_names, shapes_of

KEYS = Path(__file__).parents[2] / "../shared/reference/checkpoint_keys"
SPACE = LabelSpace(35)

# file of names, network in it, family, settings of the full-size network, part of ours
FULL_SIZE = [
    ("pix2pixhd", "global", {"feature_channels": 0}, "generator"),
    ("pix2pixhd", "global_feat", {}, "generator"),
    ("pix2pixhd", "local_enhancer", {"feature_channels": 0, "num_enhancers": 1}, "generator"),
    ("pix2pixhd", "feature_encoder", {}, "encoder"),
    ("spade", "generator", {}, "generator"),
    ("spade", "generator_most", {"upsampling": "most"}, "generator"),
    ("spade", "generator_vae", {"use_vae": True}, "generator"),
    ("spade", "style_encoder", {"use_vae": True}, "encoder"),
    ("ccfpse", "generator", {}, "generator"),
    ("ccfpse", "generator_vae", {"use_vae": True}, "generator"),
    ("lab2pix_v1", "generator", {}, "generator"),
    ("lab2pix_v2", "generator", {}, "generator"),
    ("oasis", "generator", {}, "generator"),
]

# array, family, settings, file, image size, length of the code
GOLDEN = [
    ("global", "pix2pixhd", {"base_channels": 8, "feature_channels": 0}, (128, 64), 0),
    (
        "local_enhancer",
        "pix2pixhd",
        {"base_channels": 8, "feature_channels": 0, "num_enhancers": 1},
        (128, 64),
        0,
    ),
    ("generator", "spade", {"base_channels": 8}, (256, 128), 0),
    ("generator_most", "spade", {"base_channels": 8, "upsampling": "most"}, (256, 128), 0),
    ("generator_vae", "spade", {"base_channels": 8, "use_vae": True, "start_grid": (2, 4)}, (256, 128), 256),
    ("generator", "ccfpse", {"base_channels": 8, "pyramid_channels": 8}, (128, 64), 0),
    pytest.param("generator.0", "lab2pix_v1", {"start_grid": (1, 2)}, (256, 128), 128, marks=pytest.mark.soak),
    ("generator", "lab2pix_v2", {"base_channels": 8}, (128, 64), 0),
    ("generator", "oasis", {"base_channels": 8}, (128, 64), 64),
]


def build(family, settings, part="generator"):
    row = FAMILIES[family]
    config = row.config(**settings)
    with torch.device("meta"):
        module = (row.build_generator if part == "generator" else row.build_encoder)(config, SPACE)
    return config, module


def names_of(family, config, part):
    published = FAMILIES[family].published
    return (published.generator if part == "generator" else published.encoder)(config)


@pytest.mark.parametrize(("family", "network", "settings", "part"), FULL_SIZE)
def test_every_tensor_of_the_published_file_has_a_place_here(family, network, settings, part):
    path = KEYS / f"{family}_keys_ngf64.json"
    if not path.is_file():
        pytest.skip(f"{path.name} is not at hand")
    listed = {name: tuple(shape) for name, shape in json.loads(path.read_text())[network].items()}
    config, module = build(family, settings, part)
    tensors = {name: torch.empty(shape, device="meta") for name, shape in listed.items()}
    adopt(module, tensors, names_of(family, config, part), "file")  # refuses a name too many, too few, or misshapen
    if part == "generator":
        found = FAMILIES[family].published.settings(listed, Target(35, 256, 512))
        assert FAMILIES[family].config(**found) == config
    else:
        found = FAMILIES[family].published.encoder_settings(listed)
        assert config.model_copy(update=found) == config


@pytest.fixture
def stand_in(golden_values):
    """A checkpoint as the authors would have saved it, whose *folded* weights follow the golden rule."""

    def make(module: nn.Module, names) -> dict[str, torch.Tensor]:
        rng = torch.Generator().manual_seed(0)
        ours = module.state_dict()
        affine = {f"{n}.weight" for n, m in module.named_modules() if isinstance(m, nn.BatchNorm2d) and m.affine}
        made = {}
        for name, tensor in ours.items():
            called, shape = names.of_tensor(name), tuple(tensor.shape)
            if called.endswith(("weight_u", "weight_v")):
                continue
            if called.endswith("weight_orig"):
                made |= spectral(called, golden_values(shape), rng)
            elif called.endswith(("running_mean", "num_batches_tracked")):
                made[called] = torch.zeros(shape)
            elif called.endswith("running_var"):
                made[called] = torch.ones(shape)
            else:
                made[called] = golden_values(shape, name in affine)
        return made

    return make


def spectral(called, wanted, rng):
    """The three tensors of a spectral norm whose sigma, u W v, is 3 and whose quotient is the wanted weight."""
    matrix = wanted.flatten(1)
    u, v = torch.randn(matrix.shape[0], generator=rng), torch.randn(matrix.shape[1], generator=rng)
    v = v / torch.vdot(u, matrix @ v)
    return {called: 3 * wanted, called.replace("_orig", "_u"): u, called.replace("_orig", "_v"): v}


@pytest.mark.parametrize(("array", "family", "settings", "size", "code"), GOLDEN)
def test_a_checkpoint_of_the_authors_gives_the_authors_image(
    array, family, settings, size, code, stand_in, golden_inputs, golden_arrays
):
    wanted = golden_arrays(f"{family}_{size[0]}x{size[1]}_ngf8.npz")[array]
    config, generator = build(family, settings)
    names = names_of(family, config, "generator")
    checkpoint = stand_in(generator, names)
    found = FAMILIES[family].published.settings(shapes_of(checkpoint), Target(35, size[1], size[0]))
    assert FAMILIES[family].config(**found) == config
    adopt(generator, checkpoint, names, "file")
    inputs = golden_inputs(*size)
    style = inputs.latent(code) if code else None
    if family == "oasis":
        style = style.view(1, code, 1, 1).expand(1, code, size[1], size[0])
    with torch.inference_mode():
        condition = generator.eval().condition(inputs.labels_BHW, inputs.instances_BHW)
        image = generator(condition, style)
    np.testing.assert_allclose(image.numpy(), wanted, atol=1e-4)


def test_a_feature_encoder_of_the_authors_gives_their_features(stand_in, golden_inputs, golden_arrays):
    wanted = golden_arrays("pix2pixhd_128x64_ngf8.npz")["feature_encoder"]
    config, encoder = build("pix2pixhd", {"encoder_channels": 2}, "encoder")
    names = names_of("pix2pixhd", config, "encoder")
    adopt(encoder, stand_in(encoder, names), names, "file")
    inputs = golden_inputs(128, 64)
    with torch.inference_mode():
        features = instance_mean(encoder(inputs.image_BCHW), inputs.instances_BHW)
    np.testing.assert_allclose(features.numpy(), wanted, atol=1e-4)


def test_spectral_norms_fold_as_the_layer_that_trained_them_does():
    old = torch.nn.utils.spectral_norm(nn.Conv2d(3, 5, 3))
    for _ in range(4):
        old(torch.randn(1, 3, 8, 8))
    old.eval()
    x = torch.randn(1, 3, 8, 8)
    from generators.published import Names
    from generators.spectral_norm import bake, spectral

    ours = nn.Sequential(spectral(nn.Conv2d(3, 5, 3)))
    adopt(ours, {f"theirs.{name}": tensor for name, tensor in old.state_dict().items()}, Names({"0": "theirs"}), "file")
    torch.testing.assert_close(bake(ours.eval())(x), old(x), rtol=0, atol=1e-6)


def test_a_file_cut_short_names_the_first_tensors_that_do_not_fit(stand_in):
    config, generator = build("oasis", {"base_channels": 2, "hidden_channels": 4, "noise_dim": 4})
    names = names_of("oasis", config, "generator")
    tensors = stand_in(generator, names)
    del tensors["conv_img.bias"], tensors["body.3.conv_0.weight_u"]
    tensors["fc.bias"] = torch.zeros(7)
    with pytest.raises(ValueError, match="do not fit") as refused:
        adopt(generator, tensors, names, "best.pth")
    assert str(refused.value) == (
        "best.pth: weights do not fit the network: fc.bias has shape (7,), expected (32,); "
        "body.3.conv_0.weight_u is missing; conv_img.bias is missing"
    )


@pytest.mark.parametrize("family", [name for name, row in FAMILIES.items() if row.published])
def test_another_familys_file_is_refused_by_the_first_tensor_it_lacks(family):
    with pytest.raises(ValueError, match=r" is missing; the file holds layer\.weight, \.\.\."):
        FAMILIES[family].published.settings({"layer.weight": (3, 3)}, Target(35, 256, 512))


def test_a_network_of_another_label_space_says_so():
    listed = {"body.0.norm_0.mlp_shared.0.weight": (8, 20, 3, 3), "conv_img.weight": (3, 2, 3, 3)}
    with pytest.raises(ValueError, match="the catalog has") as refused:
        FAMILIES["oasis"].published.settings(listed, Target(35, 256, 512))
    assert str(refused.value) == (
        "the network takes 20 channels of noise and labels, the catalog has 35; give the catalog it was trained on"
    )


def test_the_prefix_of_data_parallel_training_goes():
    assert list(plain_names({"module.a": torch.zeros(1), "module.b": torch.zeros(1)})) == ["a", "b"]
    assert list(plain_names({"module.a": torch.zeros(1), "b": torch.zeros(1)})) == ["module.a", "b"]
