"""Which exits are drawn to be checked, and how many."""

from doubletake.model.branches import Branch
from doubletake.model.exit_points import ExitPoint
from doubletake.stats.verification import Verification
from early_exit.exit_plans import TracePlan, draw_checked_exits


def plan_of(name: str, *cuts: int) -> TracePlan:
    points = [ExitPoint(n, cut, cut, (1,) * 10, cut) for n, cut in enumerate(cuts)]
    branches = [Branch(point.cut, point.suffix, 5) for point in points]
    as_written = {len(cuts) - 1: Branch(cuts[-1], (1,) * 9, 5)}
    return TracePlan({"trace": name}, points, branches, as_written)


def test_the_draw_of_verified_exits_keeps_to_its_share_and_minimum():
    plans = [plan_of(f"{k}/0", 20, 50 + k, 80 + k) for k in range(40)]
    costs = {
        (plan.trace["trace"], point.number): point.cut + 10 + 4
        for plan in plans
        for point in plan.points
    }
    work = sum(80 + k + 3 * 14 for k in range(40))
    drawn = draw_checked_exits(plans, Verification(0.2, 3, 1))
    assert 3 < len(drawn.replayed) < 10
    assert sum(costs[name] for name in drawn.replayed) <= 0.1 * work
    assert sum(costs[name] for name in drawn.replayed) > 0.1 * work - 133
    assert drawn == draw_checked_exits(plans[::-1], Verification(0.2, 3, 1))
    assert drawn != draw_checked_exits(plans, Verification(0.2, 3, 2))
    assert len(drawn.exact) == 3
    assert drawn.exact < drawn.replayed
    fewest = draw_checked_exits(plans, Verification(1e-9, 7, 1))
    assert (len(fewest.replayed), len(fewest.as_written)) == (7, 7)
    assert {number for _, number in fewest.as_written} == {2}
    fewest = draw_checked_exits(plans[:1], Verification(1e-9, 7, 1))
    assert (len(fewest.replayed), len(fewest.as_written)) == (3, 1)
