"""A replayed image is compared with the one in the shard."""

import numpy as np

from pipeline.augment.replay import likeness
from pipeline.recipe import ImageFormat
from pipeline.shards.pixels import encode_image

GREY = np.full((16, 16, 3), 100, np.uint8)


def test_the_same_image_is_said_to_be_the_same():
    for form in (ImageFormat(format="png"), ImageFormat(format="jpeg", quality=80)):
        assert str(likeness(GREY, encode_image(GREY, form.format, form.quality), form)) == "the same, byte for byte"


def test_an_image_that_differs_is_told_with_its_distance():
    form = ImageFormat(format="png")
    near = likeness(GREY, encode_image(GREY + np.uint8(1), "png", 0), form)
    assert near.is_close
    assert str(near) == "48.1 dB from the one in the shard, as on another kind of device"  # 10 log10(255^2)
    far = likeness(GREY, encode_image(GREY + np.uint8(100), "png", 0), form)
    assert not far.is_close
    assert str(far) == "DIFFERS: 8.1 dB from the one in the shard"
