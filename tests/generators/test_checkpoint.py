"""Weights go to a file and back, and a file of something else is refused by name."""

import pytest
import torch
from torch import nn

from generators.checkpoint import about_weights, load_weights, save_weights
from generators.memory_format import channels_last


def network(width: int = 4) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Conv2d(width, 1, 1))


def test_weights_come_back_as_they_were(tmp_path):
    ours, other = channels_last(network()), network()
    save_weights(ours, tmp_path / "w.safetensors")
    load_weights(other, tmp_path / "w.safetensors")
    for name, tensor in ours.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name


def test_first_misfits_are_named_and_nothing_is_changed(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(network(5), path)
    other = network(4)
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(ValueError, match=r"weights do not fit the network") as caught:
        load_weights(other, path)
    assert str(caught.value) == (
        f"{path}: weights do not fit the network: 0.weight has shape (5, 3, 3, 3), expected (4, 3, 3, 3); "
        "0.bias has shape (5,), expected (4,); 1.weight has shape (5,), expected (4,) and 4 more"
    )
    assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in before.items())


def test_missing_and_surplus_tensors_are_named(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False)), path)
    with pytest.raises(ValueError, match=r"weights do not fit the network") as caught:
        load_weights(nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)), path)
    assert str(caught.value) == (
        f"{path}: weights do not fit the network: "
        "1.weight is missing; 1.bias is missing; 0.bias is not part of the network"
    )


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", None], ids=["empty", "a pickle", "truncated"])
def test_what_is_no_whole_safetensors_file_is_refused(content, tmp_path):
    path = tmp_path / "w.safetensors"
    if content is None:
        save_weights(network(), path)
        content = path.read_bytes()[:-3]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.safetensors: not a whole safetensors file \("):
        load_weights(network(), path)


def test_absent_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.safetensors: no such weights file$"):
        load_weights(network(), tmp_path / "absent.safetensors")


def test_a_file_says_of_itself_what_it_was_given(tmp_path):
    save_weights(network(), tmp_path / "said.safetensors", {"who": "a judge"})
    save_weights(network(), tmp_path / "mute.safetensors")
    assert about_weights(tmp_path / "said.safetensors") == {"who": "a judge"}
    assert about_weights(tmp_path / "mute.safetensors") == {}
