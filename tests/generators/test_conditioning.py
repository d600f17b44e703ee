"""What networks are conditioned on, against values computed by hand and by a plain loop."""

import time

import pytest
import torch

from generators.conditioning import edge_map, instance_mean, one_hot, paint


def test_one_hot_marks_the_label_of_every_pixel():
    labels = torch.tensor([[[0, 2], [1, 1]]], dtype=torch.uint8)
    expected = torch.tensor([[[[1, 0], [0, 0]], [[0, 0], [1, 1]], [[0, 1], [0, 0]]]]).float()
    assert torch.equal(one_hot(labels, 3), expected)


@pytest.mark.parametrize("bad", [3, -1, 255])
def test_one_hot_names_a_label_that_is_no_channel(bad):
    labels = torch.tensor([[[0, bad]]])
    with pytest.raises(
        ValueError, match=rf"^label channel {bad} is outside 0\.\.2; labels must be catalog channels, not class ids$"
    ):
        one_hot(labels, 3)


def test_edges_lie_on_both_sides_of_a_border():
    ids = torch.tensor([[[1, 1, 1, 2, 2], [1, 1, 1, 2, 2], [1, 1, 3, 3, 2], [4, 4, 4, 4, 4]]])
    expected = torch.tensor([[0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]]).float()
    assert torch.equal(edge_map(ids), expected[None, None])


def test_image_borders_alone_make_no_edge():
    assert not edge_map(torch.full((2, 5, 7), 26_001)).any()


def test_instance_mean_of_the_worked_example():
    features = torch.tensor([[[[1, 2, 3, 4], [5, 6, 7, 8]], [[0, 0, 1, 1], [2, 2, 3, 3]]]]).float()
    ids = torch.tensor([[[7, 7, 7, 9], [7, 9, 9, 9]]], dtype=torch.int32)
    expected = torch.tensor(
        [[[[2.75, 2.75, 2.75, 6.25], [2.75, 6.25, 6.25, 6.25]], [[0.75, 0.75, 0.75, 2.25], [0.75, 2.25, 2.25, 2.25]]]]
    )
    torch.testing.assert_close(instance_mean(features, ids), expected)


def loop_mean(features: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The obvious way: one instance of one image at a time."""
    rows = []
    for image, image_ids in zip(features, ids, strict=True):
        mean = torch.zeros_like(image)
        for instance in image_ids.unique():
            here = image_ids == instance
            mean = mean + here * (image * here).sum((1, 2), keepdim=True) / here.sum()
        rows.append(mean)
    return torch.stack(rows)


@pytest.mark.parametrize("spread", [1, 1000, 2**27], ids=["dense ids", "thing ids", "ids far apart"])
@pytest.mark.parametrize("run", [1, 12], ids=["speckled", "in runs"])
def test_instance_mean_equals_a_loop_over_instances(spread, run):
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(-3, 9, (3, 16, 24 // run), generator=generator, dtype=torch.int32) * spread
    ids = ids.repeat_interleave(run, 2)
    features = torch.randn(3, 4, 16, 24, generator=generator)
    torch.testing.assert_close(instance_mean(features, ids), loop_mean(features, ids))


def test_a_run_ends_with_its_image():
    ids = torch.full((2, 4, 32), 5)  # the last pixel of the first image and the first of the second look alike
    features = torch.arange(256.0).view(2, 1, 4, 32)
    assert instance_mean(features, ids)[:, 0, 0, 0].tolist() == [63.5, 191.5]


@pytest.mark.parametrize("run", [1, 16], ids=["speckled", "in runs"])
def test_gradients_flow_through_the_mean_and_not_between_images(run):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 3, (2, 4, 5), generator=generator).repeat_interleave(run, 2)
    features = torch.randn(2, 2, 4, 5 * run, generator=generator, requires_grad=True)
    weights = torch.randn(2, 2, 4, 5 * run, generator=generator)
    (ours,) = torch.autograd.grad((instance_mean(features, ids) * weights).sum(), features)
    (loop,) = torch.autograd.grad((loop_mean(features, ids) * weights).sum(), features)
    torch.testing.assert_close(ours, loop)
    (first_only,) = torch.autograd.grad(instance_mean(features, ids)[0].sum(), features)
    assert not first_only[1].any()


def test_instance_mean_refuses_maps_of_another_size():
    with pytest.raises(ValueError, match=r"^features \(1, 3, 4, 4\) and instances \(1, 4, 5\) differ in size$"):
        instance_mean(torch.zeros(1, 3, 4, 4), torch.zeros(1, 4, 5))


def test_three_hundred_instances_at_full_size_take_milliseconds():
    """The best of several runs in process time on one thread, so that other work on the machine does not count."""
    y, x = torch.meshgrid(torch.arange(1024), torch.arange(2048), indexing="ij")
    ids = ((y // 69) * 20 + x // 103 + 24_000).int()[None]
    assert len(ids.unique()) == 300
    features = torch.randn(1, 3, 1024, 2048)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = []
    for _ in range(6):
        start = time.process_time()
        instance_mean(features, ids)
        seconds.append(time.process_time() - start)
    torch.set_num_threads(threads)
    # About 12 ms here; a loop over the instances takes a second and more.
    assert min(seconds) < 0.06


def test_paint_gives_every_listed_instance_its_vector_and_others_zeros():
    instances = torch.tensor([[26_002, 7, 7], [26_001, 26_001, 11]], dtype=torch.int32)
    ids = torch.tensor([26_002, 7, 26_001], dtype=torch.int32)
    vectors = torch.tensor([[1.0, -1.0], [2.0, -2.0], [3.0, -3.0]])
    first = torch.tensor([[1.0, 2.0, 2.0], [3.0, 3.0, 0.0]])
    assert torch.equal(paint(ids, vectors, instances), torch.stack([first, -first]))


def test_paint_of_nothing_is_zeros():
    painted = paint(torch.zeros(0, dtype=torch.int32), torch.zeros(0, 4), torch.zeros(2, 3, dtype=torch.int32))
    assert torch.equal(painted, torch.zeros(4, 2, 3))
