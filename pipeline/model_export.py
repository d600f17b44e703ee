"""A model's generator as a file that other programs run: torch.export or ONNX, compared with the original."""

import copy
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from generators.family import Generator
from generators.spectral_norm import bake
from generators.style import StyleKind
from pipeline.errors import InputError, RunError
from pipeline.model_directory import OpenModel
from pipeline.resolution import Resolution

TOLERANCE = 1e-3
_ONNX = ("onnx", "onnxscript", "onnxruntime")


class ExportFormat(StrEnum):
    """What can be written."""

    ONNX = "onnx"
    TORCH = "torch-export"


class Exported(NamedTuple):
    """What was written, and how far its image is from the original's."""

    path: Path
    inputs: dict[str, tuple[int, ...]]
    largest_difference: float


def export_model(model: OpenModel, path: Path, form: ExportFormat, resolution: Resolution | None = None) -> Exported:
    """Write the generator for one image of one size, run what was written, and compare."""
    if (path.suffix == ".onnx") != (form is ExportFormat.ONNX):
        other = next(each for each in ExportFormat if each is not form)
        raise InputError(f"{path}: its name says another format than --format {form}; give --format {other}")
    missing = [name for name in _ONNX if form is ExportFormat.ONNX and find_spec(name) is None]
    if missing:
        raise InputError(f"ONNX needs {', '.join(missing)}, not installed here; run: pip install 'synthgen[export]'")
    generator = bake(copy.deepcopy(model.load_generator())).eval()
    size = resolution or model.resolution
    inputs = example_inputs(generator, size, model.catalog.num_channels)
    path.parent.mkdir(parents=True, exist_ok=True)
    arguments = (*inputs.values(), *([None] if "style" not in inputs else []))
    with torch.no_grad():
        wanted: Tensor = generator(*arguments)
        program = torch.export.export(generator, arguments)
        onnx = form is ExportFormat.ONNX
        found = _write_onnx(program, path, inputs) if onnx else _write_torch(program, path, arguments)
    difference = float((found - wanted).abs().max())
    if not difference <= TOLERANCE:
        raise RunError(f"{path}: its image differs by {difference:.2g} from the original's; expected {TOLERANCE:g}")
    return Exported(path, {name: tuple(tensor.shape) for name, tensor in inputs.items()}, difference)


def example_inputs(generator: Generator, size: Resolution, num_channels: int) -> dict[str, Tensor]:
    """A layout and a style, the same each time."""
    width, height = size
    if width % generator.stride or height % generator.stride:
        raise InputError(f"{size}: sides must be multiples of {generator.stride} for this model")
    rng = torch.Generator().manual_seed(0)
    cells = torch.randint(num_channels, (1, height // 8, width // 8), generator=rng)
    labels = cells.repeat_interleave(8, 1).repeat_interleave(8, 2)
    inputs = {"condition": generator.condition(labels, labels.int())}
    if generator.style_kind is StyleKind.GLOBAL:
        inputs["style"] = torch.randn(1, generator.style_dim, generator=rng)
    elif generator.style_dim:
        style = torch.randn(1, generator.style_dim, 1, 1, generator=rng)
        inputs["style"] = style.expand(-1, -1, height, width).contiguous()
    return inputs


def _write_torch(program: torch.export.ExportedProgram, path: Path, arguments: tuple[Tensor | None, ...]) -> Tensor:
    torch.export.save(program, path)
    found: Tensor = torch.export.load(path).module()(*arguments)
    return found


def _write_onnx(program: torch.export.ExportedProgram, path: Path, inputs: dict[str, Tensor]) -> Tensor:
    onnxruntime: Any = import_module("onnxruntime")  # by name: an extra that type checks do without
    torch.onnx.export(
        program,
        (),
        str(path),
        input_names=list(inputs),
        output_names=["image"],
        dynamo=True,
        external_data=False,  # weights beside the file are soon left behind
        verbose=False,
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    fed = {given.name: tensor.numpy() for given, tensor in zip(session.get_inputs(), inputs.values(), strict=True)}
    return torch.from_numpy(session.run(None, fed)[0])
