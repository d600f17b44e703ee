"""Scores as text tables."""

from pipeline.evaluation.faithfulness import Faithfulness


def faithfulness_table(found: Faithfulness) -> str:
    """A line a class, best real score first, and the means."""
    rows = [
        (name, found.rendered.class_iou.get(name, 0.0), real)
        for name, real in sorted(found.real.class_iou.items(), key=lambda item: -item[1])
    ]
    rows.append(("mean IoU", found.rendered.mean_iou, found.real.mean_iou))
    rows.append(("pixel accuracy", found.rendered.pixel_accuracy, found.real.pixel_accuracy))
    lines = [f"{'':22}{'rendered':>10}{'real':>10}"]
    lines += [f"{name:22}{rendered:>10.3f}{real:>10.3f}" for name, rendered, real in rows]
    lines.append(f"{found.num_scenes} scenes; rendered images reach {found.share:.0%} of the mean IoU on real ones")
    return "\n".join(lines)
