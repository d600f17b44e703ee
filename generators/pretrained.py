"""Published weights of other people's networks, by path or URL, read without unpickling code."""

import pickle
import struct
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

_SCHEMES = ("http://", "https://", "file://")


def load_features(layers: nn.Sequential, location: Path | str, network: str) -> None:
    """Fill layers numbered as in torchvision's VGG with its `features.N.weight`; ValueError names the first misfit."""
    state = read_state_dict(location)
    wanted = layers.state_dict()
    for name, tensor in wanted.items():
        found = state.get(f"features.{name}")
        if found is None:
            raise ValueError(
                f"{location}: no 'features.{name}'; expected the state dict of an ImageNet {network} without batch norm"
            )
        if found.shape != tensor.shape:
            raise ValueError(
                f"{location}: 'features.{name}' has shape {tuple(found.shape)}, {network} has {tuple(tensor.shape)}"
            )
    layers.load_state_dict({name: state[f"features.{name}"] for name in wanted})


def read_state_dict(location: Path | str) -> dict[str, Tensor]:
    """The tensors of a file, or of a URL, which torch downloads once and keeps in its own cache."""
    text = str(location)
    try:
        if text.startswith(_SCHEMES):
            loaded = torch.hub.load_state_dict_from_url(text, map_location="cpu", weights_only=True, progress=False)
        else:
            loaded = torch.load(Path(text).expanduser(), map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"{text}: no such file") from None
    except (URLError, OSError) as error:
        raise ValueError(f"{text}: could not be read ({error})") from None
    except (pickle.UnpicklingError, struct.error, LookupError, RuntimeError, EOFError, ValueError) as error:
        # The first sentence: torch goes on with advice to load such a file unsafely.
        said = (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0]
        raise ValueError(f"{text}: not a whole PyTorch state dict ({said})") from None
    if not isinstance(loaded, dict) or not all(isinstance(tensor, Tensor) for tensor in loaded.values()):
        raise ValueError(f"{text}: expected a state dict of tensors")
    return loaded
