"""The problems for calibration: how many, and what their choice depends on."""

import pytest

from activations.calibration_split import calibration_problems

PROBLEMS = [str(number) for number in range(1000)]


@pytest.mark.parametrize(("share", "size"), [(0.25, 250), (0.0001, 1), (1.0, 1000)])
def test_share_is_kept(share, size):
    assert len(calibration_problems(PROBLEMS, share)) == size


def test_order_and_repetition_do_not_matter():
    split = calibration_problems(PROBLEMS, 0.25)
    assert calibration_problems(PROBLEMS[::-1] * 2, 0.25) == split


def test_split_does_not_depend_on_the_number_of_the_problem():
    numbers = sorted(map(int, calibration_problems(PROBLEMS, 0.25)))
    assert 400 < sum(numbers) / len(numbers) < 600


def test_larger_shares_hold_smaller_ones():
    small = calibration_problems(PROBLEMS, 0.1)
    assert small < calibration_problems(PROBLEMS, 0.3)


def test_no_problems_give_no_split():
    assert calibration_problems([], 0.5) == set()
