"""Scores as text tables."""

from pipeline.evaluation.model import ModelResult
from pipeline.evaluation.scores import Scores


def scores_table(scores: Scores) -> str:
    """A line a class, best first, and the means."""
    rows = [*sorted(scores.class_iou.items(), key=lambda item: -item[1])]
    rows += [("mean IoU", scores.mean_iou), ("pixel accuracy", scores.pixel_accuracy)]
    return "\n".join(f"{name:22}{value:>10.3f}" for name, value in rows)


def model_table(result: ModelResult) -> str:
    """A line a class, best real score first, and the means."""
    found = result.faithfulness
    rows = [
        (name, found.rendered.class_iou[name], real)
        for name, real in sorted(found.real.class_iou.items(), key=lambda item: -item[1])
    ]
    rows.append(("mean IoU", found.rendered.mean_iou, found.real.mean_iou))
    rows.append(("pixel accuracy", found.rendered.pixel_accuracy, found.real.pixel_accuracy))
    lines = [f"{'':22}{'rendered':>10}{'real':>10}"]
    lines += [f"{name:22}{rendered:>10.3f}{real:>10.3f}" for name, rendered, real in rows]
    lines.append(f"{found.num_scenes} scenes; rendered images reach {found.share_text} of the mean IoU on real ones")
    if result.distances is not None:
        floor = result.distances.fid_of_real_halves
        lines.append(f"fid_segmenter {result.distances.fid:.3g} (between two halves of the real images: {floor:.3g})")
    if result.diversity is not None:
        lines.append(f"diversity_segmenter {result.diversity:.3f}")
    lines += [f"not measured: {missing}" for missing in result.not_measured()]
    lines += [f"warning: {note}" for note in result.notes()]
    return "\n".join(lines)
