"""What every worker of a run needs to know, in one object that pickles."""

from dataclasses import dataclass
from functools import cached_property

from label_editing.edits import EditContext
from pipeline.balance import ClassShare
from pipeline.model_directory import OpenModel
from pipeline.plan import Plan
from pipeline.recipe import Recipe
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.styles.bank import StyleBank


@dataclass(frozen=True)
class AugmentJob:
    """A recipe with everything it names opened: what to make, from what, by which plan."""

    recipe: Recipe
    source: Source
    model: OpenModel
    bank: StyleBank
    plan: Plan
    plan_fingerprint: str
    context: EditContext
    resolution: Resolution
    balance: tuple[ClassShare, ...] = ()  # how near the plan comes to the shares that a balance asks for

    @cached_property
    def recipe_fingerprint(self) -> str:
        return self.recipe.fingerprint()
