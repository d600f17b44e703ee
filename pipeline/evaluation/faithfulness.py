"""Are the images of a model faithful to their label maps? As in the papers: segment them, compare with the input."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from generators.inference import Renderer
from generators.style import Style
from label_editing.scene import Scene
from pipeline.augment.rendering import Input, render_inputs, to_channels
from pipeline.errors import SourceError
from pipeline.evaluation.cost import Cost, measure_cost
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.scores import Scores
from pipeline.model_directory import OpenModel
from pipeline.plan import sample_rng
from pipeline.sources.base import Image, Source
from pipeline.styles.bank import StyleBank
from pipeline.styles.draw import draw_style
from pipeline.styles.picks import StylePick


class Rendering(NamedTuple):
    """A scene with its real image and images rendered of it in styles drawn one after the other."""

    scene: Scene
    real: Image
    rendered: list[Image]


@dataclass(frozen=True)
class Faithfulness:
    """Scores on rendered images beside those of the same network on the real images of the same scenes."""

    rendered: Scores
    real: Scores
    num_scenes: int

    @property
    def share(self) -> float | None:
        """Mean IoU on rendered images as a share of that on real ones, the bound of what can be had."""
        return self.rendered.mean_iou / self.real.mean_iou if self.real.mean_iou else None

    @property
    def share_text(self) -> str:
        """The share in words."""
        return "nothing to compare with" if self.share is None else f"{self.share:.0%}"


class SceneRenderer:
    """Renders the scenes of a source with a model, each in styles drawn from its bank."""

    def __init__(self, model: OpenModel, picks: Sequence[StylePick], seed: int) -> None:
        self._catalog, self._picks, self._seed = model.catalog, picks, seed
        generator = model.load_generator()
        self._parameters = sum(weight.numel() for weight in generator.parameters())
        self._renderer, self._bank = Renderer(generator), model.style_bank()

    @property
    def bank(self) -> StyleBank:
        return self._bank

    def images(self, scene: Scene, num_styles: int = 1) -> list[Image]:
        """The scene in so many styles, each drawn for itself."""
        channels = to_channels(scene.labels, self._catalog)
        inputs = [Input(channels, scene.instances, self._style(scene, variant)) for variant in range(num_styles)]
        return render_inputs(self._renderer, inputs)

    def _style(self, scene: Scene, variant: int) -> Style | None:
        return draw_style(self._bank, self._picks, scene, sample_rng(self._seed, scene.key, variant))[0]

    def cost(self, scene: Scene) -> Cost:
        """What one image takes."""
        return measure_cost(self._parameters, self._renderer.device, lambda: self.images(scene))


def render_scenes(
    renderer: SceneRenderer, source: Source, keys: Sequence[str], judge: Judge, num_styles: int = 1
) -> Iterator[Rendering]:
    """The scenes one after the other; SourceError for one that has no image to compare with."""
    for key in keys:
        scene, image = source.read(key, judge.resolution)
        if image is None:
            raise SourceError(f"{key} has no image to compare with; choose a split with images")
        yield Rendering(scene, image, renderer.images(scene, num_styles))
