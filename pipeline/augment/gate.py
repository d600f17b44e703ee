"""The quality gate of a run: how much of its label map a judge finds again in each image."""

from pipeline.augment.job import AugmentJob
from pipeline.augment.rows import Agreement
from pipeline.console import Console
from pipeline.storage import Store

JUDGES = "runs/judges"  # shared with `synthgen evaluate`


def agreement_for(job: AugmentJob, console: Console, judges: str = JUDGES) -> Agreement | None:
    """What measures agreement; None where the recipe sets no least one, so that nothing is trained for nothing.

    The judge learns from the real pairs that the model was trained on, at the resolution of the run.
    """
    if job.recipe.quality.min_agreement is None:
        return None
    from pipeline.evaluation.judge import JudgeSettings, judge_for
    from pipeline.evaluation.training_source import source_of

    judge = judge_for(source_of(job.model), job.resolution, JudgeSettings(), Store(judges), console)
    job.model.check_catalog(judge.catalog, "the judge")
    return judge.agreement
