"""What only a GPU can show: graphs, compilation and transfers beside the computation give the same images."""

import numpy as np
import pytest
import torch

from generators import FAMILIES
from generators.family import LabelSpace
from generators.inference import FastPath, Renderer
from generators.style import Style, StyleKind

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
SMALL = {
    "pix2pixhd": {"base_channels": 16, "num_enhancers": 1},
    "spade": {"base_channels": 8},
    "ccfpse": {"base_channels": 8},
    "lab2pix_v2": {"base_channels": 8, "global_channels": 8},
    "oasis": {"base_channels": 8},
}


def scenes(generator, count=3):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 9, (count, 8, 16)).repeat(32, 1).repeat(32, 2).astype(np.uint8)
    instances = labels.astype(np.int32) * 1000
    if generator.style_kind is StyleKind.NONE:
        return labels, instances, [None] * count
    return labels, instances, [Style(None, rng.normal(size=(1, generator.style_dim)).astype(np.float32))] * count


@pytest.mark.parametrize("name", sorted(SMALL))
@pytest.mark.parametrize(
    ("precision", "path"),
    [
        ("float32", FastPath()),
        ("float32", FastPath(rewrites="lookup")),
        ("float32", FastPath(rewrites="dense")),
        ("float32", FastPath(graphs=True)),
        ("bfloat16", FastPath()),
        ("bfloat16", FastPath(rewrites="dense")),
        ("bfloat16", FastPath(graphs=True)),
        ("bfloat16", FastPath(compiled=True)),
        ("bfloat16", FastPath(compiled=True, graphs=True)),
    ],
    ids=[
        "float32",
        "float32-lookup",
        "float32-dense",
        "float32-graphs",
        "bfloat16",
        "bfloat16-dense",
        "bfloat16-graphs",
        "bfloat16-compiled",
        "bfloat16-compiled-graphs",
    ],
)
def test_every_way_gives_the_image_of_the_cpu(name, precision, path):
    torch.manual_seed(0)
    family = FAMILIES[name]
    generator = family.build_generator(family.config(**SMALL[name]), LabelSpace(9)).eval()
    given = scenes(generator)
    wanted = Renderer(generator, "cpu", "float32").render(*given)
    found = Renderer(generator, "cuda", precision, max_batch=2, path=path).render(*given)
    mean_square = np.square(found.astype(float) - wanted).mean()
    assert 10 * np.log10(255**2 / max(mean_square, 1e-9)) >= 40


def test_sizes_that_change_are_recorded_anew():
    torch.manual_seed(0)
    family = FAMILIES["spade"]
    generator = family.build_generator(family.config(base_channels=4), LabelSpace(9)).eval()
    renderer = Renderer(generator, "cuda", "float32", path=FastPath(graphs=True))
    plain = Renderer(generator, "cuda", "float32")
    for side in (256, 128, 256):
        given = tuple(part[:, :side] for part in scenes(generator)[:2])
        difference = renderer.render(*given, [None] * 3).astype(int) - plain.render(*given, [None] * 3)
        assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", sorted(SMALL))
def test_an_image_does_not_depend_on_its_company(name, precision):
    torch.manual_seed(0)
    family = FAMILIES[name]
    generator = family.build_generator(family.config(**SMALL[name]), LabelSpace(9)).eval()
    labels, instances, styles = scenes(generator, 5)
    renderer = Renderer(generator, "cuda", precision, max_batch=4)
    together = renderer.render(labels, instances, styles)
    for index in (0, 3, 4):
        alone = renderer.render(labels[index : index + 1], instances[index : index + 1], styles[index : index + 1])
        np.testing.assert_array_equal(alone[0], together[index])
