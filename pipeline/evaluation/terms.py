"""The words of the pages that not every reader knows, explained once."""

from pipeline.report.page import Section, Terms

_MEANINGS = {
    "segmentation network": "A network that names the class of every pixel of an image: road, car, person.",
    "judge": (
        "The segmentation network that looks at the images here. It was trained on real pairs, so what it recognises "
        "looks like the real thing to a network."
    ),
    "IoU": (
        "Intersection over union: of all pixels that either are a class or were taken for it, the share that are both. "
        "100% is perfect, 0% means never found. The mean IoU weighs every class alike, however small."
    ),
    "agreement": "The share of an image's pixels on which the judge finds the label again. More is better.",
    "FID": (
        "How far two sets of images lie apart in what a network sees in them. Less is nearer. It depends on the "
        "network and the number of images, so compare it only with FIDs of the same page or protocol."
    ),
    "KID": "As FID, but fair to small sets of images; 0 means that the sets cannot be told apart.",
    "diversity": "How much the images of one label map differ when it is rendered in several styles. 0: not at all.",
    "held-out": "Kept aside: no network saw these scenes while it was trained.",
    "arm": "One of the ways to train that are compared, all else being equal.",
    "seed": "The start of a training's random numbers. Other seeds show how much comes from luck alone.",
    "within the noise": "The difference is smaller than what other seeds alone would make of it.",
    "points": "Differences of IoU in hundredths: from 40% to 43% are 3 points.",
}


def terms_section(*words: str) -> Section:
    """The meanings of these words, as the last but one section of a page."""
    return Section("What the words mean", [Terms({word: _MEANINGS[word] for word in words})])
