"""What edits came to is counted by outcome, and one that never fits is named."""

from pipeline.augment.statistics import edit_outcomes, never_applied

APPLIED = {"op": "mirror", "applied": True}
NOT_DRAWN = {"op": "mirror", "applied": False, "reason": "not drawn"}
BARE = {"op": "add_instances", "applied": False, "reason": "the scene has no instance map"}
NO_ROAD = {"op": "add_instances", "applied": False, "reason": "no road to stand on"}


def test_outcomes_are_counted_over_samples_and_edits_of_a_kind():
    found = edit_outcomes([[APPLIED, BARE, NO_ROAD], [NOT_DRAWN, BARE, BARE]])
    assert found == {
        "mirror": {"applied": 1, "not drawn": 1},
        "add_instances": {"the scene has no instance map": 3, "no road to stand on": 1},
    }


def test_an_edit_that_was_tried_and_never_fitted_is_named_with_its_commonest_reason():
    assert never_applied(edit_outcomes([[APPLIED, BARE, NO_ROAD], [NOT_DRAWN, BARE, BARE]])) == [
        "add_instances was never applied: the scene has no instance map; sources that can find objects in their label "
        "maps take instances: components"
    ]
    assert never_applied(edit_outcomes([[NO_ROAD]])) == ["add_instances was never applied: no road to stand on"]


def test_an_edit_that_was_never_drawn_or_fits_sometimes_is_not():
    assert never_applied(edit_outcomes([[NOT_DRAWN], [NOT_DRAWN]])) == []
    assert never_applied(edit_outcomes([[BARE], [{**BARE, "applied": True, "reason": ""}]])) == []
