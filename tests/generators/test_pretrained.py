"""Weights of other people's networks: by path or URL, and what is said of files that are none."""

import re

import pytest
import torch
from torch import nn

from generators.pretrained import load_features, read_state_dict


def layers() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3))


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "vgg.pth"
    torch.save({f"features.{name}": tensor for name, tensor in layers().state_dict().items()}, path)
    return path


def test_a_url_gives_what_the_file_gives(published, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    from_file, from_url = layers(), layers()
    load_features(from_file, published, "VGG-19")
    load_features(from_url, published.as_uri(), "VGG-19")
    for name, tensor in from_file.state_dict().items():
        assert torch.equal(from_url.state_dict()[name], tensor)


def test_a_tensor_of_another_shape_is_named(published):
    narrow = nn.Sequential(nn.Conv2d(3, 4, 3))
    with pytest.raises(ValueError, match=r"'features\.0\.weight' has shape \(2, 3, 3, 3\), VGG-16 has \(4, 3, 3, 3\)$"):
        load_features(narrow, published, "VGG-16")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "not a whole PyTorch state dict ("),
        (b"<html>not found</html>", "not a whole PyTorch state dict ("),
    ],
)
def test_a_file_that_is_no_state_dict_is_one_clear_line(content, said, tmp_path):
    path = tmp_path / "weights.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(f"{path}: {said}")) as refused:
        read_state_dict(path)
    assert "\n" not in str(refused.value)


def test_a_url_that_leads_nowhere_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = f"file://{tmp_path}/nothing.pth"
    with pytest.raises(ValueError, match=r"nothing\.pth: could not be read \("):
        read_state_dict(url)


def test_nothing_in_a_file_is_run(tmp_path):
    torch.save({"weight": tmp_path}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"not a whole PyTorch state dict \("):
        read_state_dict(tmp_path / "evil.pth")
