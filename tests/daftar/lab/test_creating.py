from daftar.lab.creating import creation_faults, creation_points


def test_a_box_that_was_being_made_is_whole_or_can_be_made_again():
    assert creation_points(0) > 20
    assert list(creation_faults(0, images=2)) == []
