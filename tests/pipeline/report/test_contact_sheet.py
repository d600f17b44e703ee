import cv2
import numpy as np
import pytest

from pipeline.report.contact_sheet import contact_sheet, encode_jpeg, text_strip


def test_every_picture_keeps_its_place_and_shape() -> None:
    red, blue = np.zeros((50, 100, 3), np.uint8), np.zeros((50, 100, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    sheet = contact_sheet([[red, blue]], cell_width=100)
    assert sheet.shape == (8 + 50 + 8, 8 + 2 * 108, 3)
    assert (sheet[8:58, 8:108] == (255, 0, 0)).all()
    assert (sheet[8:58, 116:216] == (0, 0, 255)).all()


def test_pictures_of_any_size_are_fitted_to_the_cells_with_their_aspect_kept() -> None:
    sheet = contact_sheet([[np.full((1024, 2048, 3), 9, np.uint8), np.full((30, 20, 3), 7, np.uint8)]], cell_width=64)
    assert (sheet[8 : 8 + 32, 8:72] == 9).all()
    assert (sheet[8 : 8 + 96, 80:144] == 7).all()


def test_an_empty_sheet_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a contact sheet needs at least one picture$"):
        contact_sheet([])


def test_a_jpeg_decodes_to_the_same_colours() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[...] = (200, 100, 50)
    back = cv2.imdecode(np.frombuffer(encode_jpeg(picture, 95), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert np.abs(back.astype(int) - picture).max() <= 4


def test_a_caption_that_is_too_long_goes_on_in_the_next_line() -> None:
    picture = np.zeros((50, 100, 3), np.uint8)
    short, long = (contact_sheet([[picture]], captions=[words], cell_width=100) for words in ("a b", "a b " * 20))
    lines = (long.shape[0] - short.shape[0]) // 24 + 1
    assert lines > 2
    for line in range(lines):  # letters in each, and none beyond the pictures
        row = long[58 + 24 * line : 82 + 24 * line]
        assert (row < 128).any()
        assert (row[:, 110:] > 200).all()


def test_a_word_longer_than_a_line_is_broken_and_texts_stay_in_their_places() -> None:
    strip = text_strip([(0, 60, "streetscapes-train-000056"), (100, 60, "b")], 160)
    assert strip.shape[0] >= 3 * 24
    assert (strip[:, 64:98] > 200).all()


def test_a_heading_stands_over_its_column() -> None:
    picture = np.full((50, 100, 3), 255, np.uint8)
    sheet = contact_sheet([[picture, picture]], headings=["", "image"], cell_width=100)
    assert (sheet[:24, :112] > 200).all()
    assert (sheet[:24, 112:] < 128).any()
