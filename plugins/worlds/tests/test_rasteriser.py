"""Pictures worked out by hand: on the plane z = 0, focal 4 makes a picture of x, y in [-1, 1]."""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi, sin

import pytest
import torch
from torch import Tensor

from gantk_worlds.rasteriser import Light, Mesh, draw, together, turn

LIGHT = Light()
FACING = 0.35 * 0.775 + 0.65 * 0.56 / (0.35**2 + 0.75**2 + 0.56**2) ** 0.5
"""Light on a face that looks at the eye, 0.6355."""


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def plane(*triangles: list[tuple[float, float]], side: int, z: float = 0.0) -> Tensor:
    """Corners in pixels of a picture `side` wide, put where they are seen just there."""
    flat = torch.tensor(triangles, dtype=torch.float64)
    shrink = (4 - z) / 4
    x, y = (flat[..., 0] * 2 / side - 1) * shrink, (1 - flat[..., 1] * 2 / side) * shrink
    return torch.stack([x, y, torch.full_like(x, z)], dim=-1).float()


def picture(corners: Tensor, grey: list[float], *, side: int, ss: int = 1) -> Tensor:
    mesh = Mesh(corners, torch.zeros(len(corners), dtype=torch.int64), torch.tensor(grey)[:, None])
    return draw(mesh, 1, side, ss=ss, focal=4.0, light=LIGHT)[0, 0]


def test_one_triangle_covers_the_pixels_whose_centres_it_contains() -> None:
    corners = plane([(1.0, 1.0), (6.7, 1.0), (1.0, 6.7)], side=8)

    drawn = picture(corners, [0.0], side=8)

    expected = [
        "........",
        ".#####..",
        ".####...",
        ".###....",
        ".##.....",
        ".#......",
        "........",
        "........",
    ]
    assert ["".join("#" if v == 0 else "." for v in row) for row in drawn.tolist()] == expected
    assert set(drawn.flatten().tolist()) == {0, 255}


def test_a_face_that_looks_at_the_eye_has_the_grey_worked_out_by_hand() -> None:
    corners = plane([(0, 0), (8, 0), (0, 8)], side=8)

    drawn = picture(corners, [1.0], side=8)

    assert drawn[1, 1] == 162 == round(255 * FACING)


def test_a_face_seen_from_above_is_lit_by_lamp_and_sky() -> None:
    flat = torch.tensor([[[-0.5, 0, -0.5], [0.5, 0, -0.5], [0.0, 0, 0.5]]])
    tipped = turn(flat, torch.tensor(0.0), torch.tensor(pi / 6))

    drawn = picture(tipped, [0.8], side=32)

    lamp = (0.75 * cos(pi / 6) + 0.56 * sin(pi / 6)) / (0.35**2 + 0.75**2 + 0.56**2) ** 0.5
    light = 0.35 * (0.775 + 0.225 * cos(pi / 6)) + 0.65 * lamp
    assert set(drawn.flatten().tolist()) == {255, round(255 * 0.8 * light)}


@pytest.mark.parametrize("seed", range(20))
def test_triangles_that_share_an_edge_leave_no_crack(seed: int) -> None:
    """A fan of triangles round an inner point tiles its hull; the hull's inside must be full."""
    rng = torch.Generator().manual_seed(seed)
    side, count = 64, 9
    angle = torch.arange(count) * (2 * pi / count) + 0.3 * torch.rand(count, generator=rng)
    rim = [(32 + 28 * cos(a), 32 + 28 * sin(a)) for a in angle.tolist()]
    hub = tuple((20 + 24 * torch.rand(2, generator=rng)).tolist())
    fan = [[hub, rim[i], rim[(i + 1) % count]] for i in range(count)]

    drawn = picture(plane(*fan, side=side), [0.0] * count, side=side)

    inner = torch.tensor([*rim, rim[0]], dtype=torch.float64)
    y, x = torch.meshgrid(*(torch.arange(side) + 0.5,) * 2, indexing="ij")
    inside = torch.full((side, side), torch.inf, dtype=torch.float64)
    for (ax, ay), (bx, by) in pairwise(inner):
        distance = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / torch.hypot(bx - ax, by - ay)
        inside = torch.minimum(inside, distance)
    assert (drawn[inside > 0.01] == 0).all()
    assert (drawn[inside < -0.01] == 255).all()


def test_a_shared_edge_through_pixel_centres_gives_each_pixel_to_one_triangle() -> None:
    left = [(0.5, 0.0), (4.5, 0.0), (4.5, 8.0)]
    right = [(4.5, 0.0), (8.0, 0.0), (4.5, 8.0)]

    both = picture(plane(left, right, side=8), [0.0, 1.0], side=8)
    swapped = picture(plane(right, left, side=8), [1.0, 0.0], side=8)

    assert both[1, 4] == 0  # equal depth: the lower number
    assert swapped[1, 4] == 162
    assert (both[1, :4] == swapped[1, :4]).all()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_triangle_wins_in_either_order(order: tuple[int, int]) -> None:
    full = [(0.0, 0.0), (16.0, 0.0), (0.0, 16.0)]
    both = torch.cat([plane(full, side=8, z=-0.2), plane(full, side=8, z=0.2)])[list(order)]

    drawn = picture(both, [(1.0, 0.0)[i] for i in order], side=8)

    assert (drawn == 0).all()


def test_triangles_that_cut_each_other_meet_where_their_depths_do() -> None:
    """Depth is linear in 1 / distance on the screen; the wall crosses z = 0 in the middle."""
    flat = torch.tensor([[[-1.5, -1.5, 0], [1.5, -1.5, 0], [0, 3.0, 0]]])
    wall = torch.tensor([[[-1, -1.5, -1], [1, -1.5, 1], [0, 3.0, 0]]])

    drawn = picture(torch.cat([flat, wall]), [0.0, 1.0], side=32)

    assert (drawn[16, :15] == 0).all()
    assert (drawn[16, 17:24] > 0).all()


def test_reversed_winding_gives_the_same_picture() -> None:
    corners = turn(
        torch.randn(20, 3, 3, generator=seeded()) * 0.4, torch.tensor(0.4), torch.tensor(0.3)
    )
    grey = torch.rand(20, generator=seeded()).tolist()

    assert torch.equal(picture(corners, grey, side=32), picture(corners.flip(1), grey, side=32))


def cube(half: float) -> Tensor:
    faces = []
    for axis in range(3):
        for end in (-half, half):
            square = torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
            face = torch.full((4, 3), end)
            face[:, [a for a in range(3) if a != axis]] = square
            faces += [face[[0, 1, 2]], face[[0, 2, 3]]]
    return torch.stack(faces)


def test_the_faces_of_a_cube_have_the_areas_of_their_projections() -> None:
    azimuth, elevation, side, half = 0.5, 0.4, 200, 0.5
    grey = [0.1, 0.1, 0.25, 0.25, 0.4, 0.4, 0.55, 0.55, 0.7, 0.7, 0.85, 0.85]
    corners = turn(cube(half), torch.tensor(azimuth), torch.tensor(elevation))

    drawn = picture(corners, grey, side=side)

    screen = corners[..., :2] / (4 - corners[..., 2:]) * 4 * side / 2
    (ax, ay), (bx, by), (cx, cy) = (corner.unbind(1) for corner in screen.unbind(1))
    area = ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)).abs() / 2
    counts = sorted(torch.bincount(drawn.flatten().int())[:255].tolist())[-3:]
    # Seen are the faces at +y, +z and, the azimuth turning +x away, -x.
    visible = sorted((area[face] + area[face + 1]).item() for face in (0, 6, 10))
    assert counts == pytest.approx(visible, rel=0.02)


def test_supersampling_averages_the_edge() -> None:
    half_a_pixel = [(0.0, 0.0), (3.5, 0.0), (3.5, 8.0)], [(0.0, 0.0), (3.5, 8.0), (0.0, 8.0)]

    drawn = picture(plane(*half_a_pixel, side=8), [0.0, 0.0], side=8, ss=2)

    assert drawn[4].tolist() == [0, 0, 0, 128, 255, 255, 255, 255]


def test_what_lies_outside_or_has_no_area_is_left_out() -> None:
    beside = [(-9.0, 0.0), (-1.0, 0.0), (-1.0, 8.0)]
    below = [(0.0, 9.0), (8.0, 9.0), (0.0, 12.0)]
    line = [(0.0, 0.5), (4.0, 4.5), (8.0, 8.5)]
    point = [(4.5, 4.5)] * 3

    drawn = picture(plane(beside, below, line, point, side=8), [0.0] * 4, side=8)

    assert (drawn == 255).all()


def test_an_edge_beyond_the_picture_is_cut_at_its_border() -> None:
    drawn = picture(plane([(-9.0, -9.0), (30.0, -9.0), (-9.0, 30.0)], side=8), [0.0], side=8)

    assert (drawn == 0).all()


def test_albedo_by_corner_is_interpolated() -> None:
    corners = plane([(0, 0), (8, 0), (0, 8)], side=8)
    across = torch.tensor([[[0.0], [1.0], [0.0]]])  # rises with the column
    mesh = Mesh(corners, torch.zeros(1, dtype=torch.int64), across)

    drawn = draw(mesh, 1, 8, ss=1, focal=4.0, light=LIGHT)[0, 0]

    shares = [(column + 0.5) / 8 for column in range(6)]
    assert drawn[1, :6].tolist() == [round(255 * FACING * share) for share in shares]


def test_normals_by_corner_are_interpolated_and_two_sided() -> None:
    corners = plane([(0, 0), (8, 0), (0, 8)], side=8)
    picture_of = torch.zeros(1, dtype=torch.int64)
    grey = torch.ones(1, 1)
    away = torch.tensor([0.0, 0.0, -1.0]).expand(1, 3, 3)
    tilted = torch.tensor([[[-0.6, 0.0, 0.8], [0.6, 0.0, 0.8], [-0.6, 0.0, 0.8]]])

    flat, smooth = (
        draw(Mesh(corners, picture_of, grey, n), 1, 8, ss=1, focal=4.0, light=LIGHT)[0, 0]
        for n in (away, tilted)
    )

    assert flat[1, 1] == 162
    assert smooth[1, 0] > smooth[1, 3] > smooth[1, 5]  # the lamp is on the left


def test_normals_that_look_away_at_the_outline_stay_if_their_face_does_not() -> None:
    """Flipped, they would be lit from the other side: dark specks along bright outlines."""
    corners = plane([(0, 0), (8, 0), (0, 8)], side=8)
    left, away = -0.96, -0.28
    grazing = torch.tensor([left, 0.0, away]).expand(1, 3, 3)
    # The face lies upright beside the eye's axis and just shows its outer side.
    turned = turn(corners, torch.tensor(-1.3), torch.tensor(0.0))
    mesh = Mesh(turned, torch.zeros(1, dtype=torch.int64), torch.ones(1, 1), grazing)
    lamp = Light((-1.0, 0.0, 0.0))

    drawn = draw(mesh, 1, 16, ss=1, focal=4.0, light=lamp)[0, 0]

    seen = drawn[drawn < 255]
    assert len(seen) > 5
    assert (seen == round(255 * (0.35 * 0.775 + 0.65 * 0.96))).all()


def test_each_picture_may_have_a_lamp_of_its_own() -> None:
    corners = plane([(0, 0), (8, 0), (0, 8)], side=8).repeat(2, 1, 1)
    mesh = Mesh(corners, torch.tensor([1, 0]), torch.ones(2, 1))
    lamps = torch.tensor([[0.0, 0.0, 1.0], [0.6, 0.0, 0.8]])

    drawn = draw(mesh, 2, 8, ss=1, focal=4.0, light=Light(lamps))[:, 0, 1, 1]

    assert drawn.tolist() == [round(255 * (0.35 * 0.775 + 0.65 * z)) for z in (1.0, 0.8)]


def test_the_ground_may_be_any_grey_or_a_picture() -> None:
    corners = plane([(0, 0), (4, 0), (0, 4)], side=8)
    mesh = Mesh(corners, torch.zeros(1, dtype=torch.int64), torch.ones(1, 3))
    across = torch.linspace(0, 0.9, 16)[None, None, :, None] * torch.tensor([1.0, 0.5, 0.0])

    grey = draw(mesh, 1, 8, focal=4.0, light=LIGHT, ground=0.2)[0]
    picture = draw(mesh, 1, 8, focal=4.0, light=LIGHT, ground=across)[0]

    assert (grey[:, -1] == 51).all()
    assert torch.equal(picture[0, -1], picture[0, -2])
    means = [round(0.9 * 255 * (2 * column + 0.5) / 15) for column in range(8)]
    assert picture[0, -1].tolist() == means
    assert (picture[2, -1] == 0).all()
    assert torch.equal(grey[:, 0, 0], picture[:, 0, 0])


def test_colour_has_three_channels() -> None:
    mesh = Mesh(
        plane([(0, 0), (16, 0), (0, 16)], side=8),
        torch.zeros(1, dtype=torch.int64),
        torch.tensor([[1.0, 0.5, 0.0]]),
    )

    drawn = draw(mesh, 1, 8, ss=1, focal=4.0, light=LIGHT)

    assert drawn.shape == (1, 3, 8, 8)
    assert drawn[0, :, 4, 4].tolist() == [162, 81, 0]


def test_pictures_of_a_batch_do_not_touch_each_other() -> None:
    corners = turn(
        torch.randn(30, 3, 3, generator=seeded()) * 0.5, torch.tensor(0.1), torch.tensor(0.2)
    )
    grey = torch.rand(30, generator=seeded())
    which = torch.arange(30) % 3

    together = draw(Mesh(corners, which, grey[:, None]), 4, 32, focal=3.5, light=LIGHT)

    for number in range(3):
        own = which == number
        alone = Mesh(corners[own], torch.zeros(10, dtype=torch.int64), grey[own, None])
        assert torch.equal(together[number], draw(alone, 1, 32, focal=3.5, light=LIGHT)[0])
    assert (together[3] == 255).all()


def test_a_quarter_turn_brings_the_front_to_the_right_side() -> None:
    front = torch.tensor([0.0, 0.0, 1.0])

    turned = turn(front, torch.tensor(pi / 2), torch.tensor(0.0))
    from_above = turn(front, torch.tensor(0.0), torch.tensor(pi / 6))

    torch.testing.assert_close(turned, torch.tensor([1.0, 0.0, 0.0]))
    torch.testing.assert_close(from_above, torch.tensor([0.0, -0.5, cos(pi / 6)]))


@pytest.mark.parametrize("by_corner", [False, True])
def test_all_is_made_on_the_device_of_the_mesh(by_corner: bool) -> None:
    """A tensor made without saying where would land on the meta device, and meeting it fails."""
    corners = torch.randn(30, 3, 3, generator=seeded()) * 0.5
    picture_of = torch.arange(30) % 3
    grey = torch.rand(30, 3, 1, generator=seeded())
    normals = torch.eye(3).expand(30, 3, 3)
    mesh = (
        Mesh(corners, picture_of, grey, normals)
        if by_corner
        else Mesh(corners, picture_of, grey[:, 0])
    )
    angle = torch.tensor(0.3)

    def drawn() -> Tensor:
        turned = mesh._replace(corners=turn(mesh.corners, angle, angle))
        return draw(turned, 3, 16, focal=3.5, light=LIGHT)

    expected = drawn()
    with torch.device("meta"):
        elsewhere = drawn()

    assert torch.equal(elsewhere, expected)


@pytest.mark.parametrize(("side", "count"), [(128, 48), (512, 48), (2048, 4), (1 << 20, 1)])
def test_large_pictures_are_drawn_fewer_at_a_time(side: int, count: int) -> None:
    """48 chairs of 256 pixels with ss = 8 took 6 GB."""
    assert together(48, side) == count
