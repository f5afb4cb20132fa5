"""Triangles to pictures in torch: no loop over triangles or pixels, the same bytes every time.

One call draws a batch: T triangles of all B pictures in one list, each with the number of its
picture. C is 1 (grey) or 3 (colour). Object space has y up and fronts facing +z. Nothing is
clipped: what lies within `RADIUS` of the origin never comes near the eye; a room round it may reach
out of the picture, but no nearer to the eye than 0.5 and no farther than 8.

Only elementwise arithmetic and a minimum are used: neither the size of the batch nor the number
of threads can change a picture. Everything is made where the mesh is: the same code runs on CUDA.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

EYE = 4.0
"""Distance of the eye from the origin, on the +z axis after the turn."""
RADIUS = 1.05
FOCAL = 3.65
"""With this focal length the sphere of that radius just fits the picture."""

_NEAR, _FAR = 0.5, 8.0
_THIN = 1e-9
_SLACK = 1e-4  # of a pixel: closes cracks between triangles that share an edge
_DEPTH_BITS = 30
_EMPTY = 1 << 62
_NUMBER = (1 << 32) - 1
_PIXELS = 1 << 24  # some 32 bytes each: half a gigabyte


@dataclass(frozen=True)
class Light:
    """One lamp that moves with the camera, and light from everywhere, a bit more from above."""

    towards: tuple[float, float, float] | Tensor = (-0.35, 0.75, 0.56)
    """Direction to the lamp, or unit directions (B, 3), one for each picture."""
    ambient: float = 0.35
    wrap: float = 0.0
    """How far lamp light reaches round to faces that look away."""

    def on(self, normal: Tensor, picture: Tensor) -> Tensor:
        """Return the light (P,) that falls on unit normals (P, 3) in the pictures (P,)."""
        x, y, z = normal.unbind(-1)
        lx, ly, lz = self._directions(picture)
        lamp = ((x * lx + y * ly + z * lz + self.wrap) / (1 + self.wrap)).clamp_min(0)
        return self.ambient * (0.775 + 0.225 * y) + (1 - self.ambient) * lamp

    def _directions(self, picture: Tensor) -> tuple[Tensor, ...] | tuple[float, ...]:
        if isinstance(self.towards, Tensor):
            return tuple(part[picture] for part in self.towards.unbind(1))
        length = math.hypot(*self.towards)
        return tuple(part / length for part in self.towards)


class Mesh(NamedTuple):
    """Triangles of a batch of pictures. The order inside a picture decides between equal depths."""

    corners: Tensor
    """(T, 3, 3): corner, then x, y, z."""
    picture: Tensor
    """(T,) int64: the picture each triangle belongs to."""
    albedo: Tensor
    """(T, C) by face, or (T, 3, C) by corner; in [0, 1]."""
    normals: Tensor | None = None
    """(T, 3, 3) unit normals by corner, interpolated; None: one normal a face.

    Both sides of a face are lit: where its normals look away with the face, they are turned.
    """


def turn(points: Tensor, azimuth: Tensor, elevation: Tensor) -> Tensor:
    """Turn points (..., 3) about y by `azimuth`, then tip them towards the eye by `elevation`.

    Angles in radians; a positive elevation looks from above. Computed in float64, so that how a
    machine rounds a sine does not show.
    """
    x, y, z = points.double().unbind(-1)
    sin, cos = azimuth.double().sin(), azimuth.double().cos()
    x, z = cos * x + sin * z, cos * z - sin * x
    sin, cos = elevation.double().sin(), elevation.double().cos()
    y, z = cos * y - sin * z, sin * y + cos * z
    return torch.stack([x, y, z], dim=-1).float()


def draw(
    mesh: Mesh,
    count: int,
    size: int,
    *,
    ss: int = 2,
    focal: float,
    light: Light,
    ground: Tensor | float = 1.0,
) -> Tensor:
    """Return `count` pictures (count, C, size, size), uint8.

    Each is drawn `ss` times larger and averaged. The ground behind is white, another grey, or
    what broadcasts to (count, size * ss, size * ss, C).
    """
    side = size * ss
    screen = _project(mesh.corners, side, focal)
    seen, pixels = _winners(screen, mesh.picture, count, side)
    colour = _shade(mesh, screen, seen, pixels % (side * side), side, light)
    canvas = colour.new_empty(count, side, side, colour.shape[1])
    canvas[:] = ground
    canvas.flatten(0, 2)[pixels] = colour
    blocks = canvas.view(count, size, ss, size, ss, colour.shape[1])
    total = sum(blocks[:, :, row, :, column] for row in range(ss) for column in range(ss))
    assert isinstance(total, Tensor)
    grey = (total * (255 / (ss * ss))).round_().clamp_(0, 255)
    return grey.to(torch.uint8).permute(0, 3, 1, 2).contiguous()


def together(most: int, side: int) -> int:
    """Return how many pictures of `side`, `ss` included, to draw in one call: at most `most`."""
    return max(1, min(most, _PIXELS // side**2))


# --- where ---------------------------------------------------------------------------------


def _project(corners: Tensor, side: int, focal: float) -> Tensor:
    """Return (T, 3, 3): column, row and depth of each corner, in pixels and in (0, 1).

    Depth is affine in 1 / distance, which is linear on the screen.
    """
    x, y, z = corners.unbind(-1)
    distance = EYE - z
    scale = (0.5 * side * focal) / distance
    depth = (1 / _NEAR - 1 / distance) / (1 / _NEAR - 1 / _FAR)
    return torch.stack([0.5 * side + x * scale, 0.5 * side - y * scale, depth], dim=-1)


def _winners(screen: Tensor, picture: Tensor, count: int, side: int) -> tuple[Tensor, Tensor]:
    """Return the nearest triangle (P,) of each covered pixel, and the pixels (P,).

    Pixels are numbered through all pictures, row by row.
    """
    triangle, row = _rows(screen, side)
    triangle, row, first, length = _spans(screen, triangle, row, side)
    start, slope = _depths(screen, triangle, row, first)
    line = (picture.index_select(0, triangle) * side + row) * side + first
    span, step = _repeat(length)
    # Depth in float64: in float32 a sliver's slope would lose the bits that decide.
    depth = (start.index_select(0, span) + step * slope.index_select(0, span)).clamp_(
        0, 1 - 2**-_DEPTH_BITS
    )
    key = depth.mul_(1 << _DEPTH_BITS).to(torch.int64).bitwise_left_shift_(32)
    key.bitwise_or_(triangle.index_select(0, span))
    keys = key.new_full((count * side * side,), _EMPTY)
    keys.scatter_reduce_(0, line.index_select(0, span) + step, key, "amin")
    pixels = (keys < _EMPTY).nonzero().squeeze(1)
    return keys.index_select(0, pixels) & _NUMBER, pixels


def _rows(screen: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return each pair of a triangle and a row whose centre it covers."""
    column, row = screen[..., 0], screen[..., 1]
    low = (row.amin(1) - 0.5 - _SLACK).ceil().clamp_min(0)
    high = (row.amax(1) - 0.5 + _SLACK).floor().clamp_max(side - 1)
    outside = (column.amax(1) < 0) | (column.amin(1) > side) | (_area(screen).abs() < _THIN)
    length = (high - low + 1).clamp_min(0).masked_fill_(outside, 0).to(torch.int64)
    triangle, step = _repeat(length)
    return triangle, low.to(torch.int64).index_select(0, triangle) + step


def _spans(
    screen: Tensor, triangle: Tensor, row: Tensor, side: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the pairs that cover some pixel centre, with the first pixel and the length."""
    centre = row + 0.5
    left, right = (torch.full_like(centre, end) for end in (-torch.inf, torch.inf))
    inward = _area(screen).sign()
    for here, there in ((0, 1), (1, 2), (2, 0)):
        a, b = screen[:, here], screen[:, there]
        rise = b[:, 1] - a[:, 1]
        slope = (b[:, 0] - a[:, 0]) / rise  # infinite, or not a number, when horizontal
        flat = (rise == 0).index_select(0, triangle)
        is_left = (inward * rise < 0).index_select(0, triangle)
        bound = a[:, 0].index_select(0, triangle) + (
            centre - a[:, 1].index_select(0, triangle)
        ) * slope.index_select(0, triangle)
        # A horizontal edge bounds rows, not columns, and those are chosen already.
        left = torch.where(~flat & is_left, torch.maximum(left, bound), left)
        right = torch.where(~flat & ~is_left, torch.minimum(right, bound), right)
    first = (left - 0.5 - _SLACK).ceil().clamp(0, side)
    last = (right - 0.5 + _SLACK).floor().clamp(-1, side - 1)
    length = (last - first + 1).to(torch.int64)
    some = (length > 0).nonzero().squeeze(1)
    return (
        triangle.index_select(0, some),
        row.index_select(0, some),
        first.index_select(0, some).to(torch.int64),
        length.index_select(0, some),
    )


def _depths(screen: Tensor, triangle: Tensor, row: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
    """Return the depth at the first pixel of each span and its change from pixel to pixel."""
    exact = screen.double()
    a, b, c = exact.unbind(1)
    (bx, by, bd), (cx, cy, cd) = (b - a).unbind(1), (c - a).unbind(1)
    area = bx * cy - by * cx
    across, down = (bd * cy - cd * by) / area, (cd * bx - bd * cx) / area
    origin = a[:, 2] - across * (a[:, 0] - 0.5) - down * (a[:, 1] - 0.5)
    slope = across.index_select(0, triangle)
    return origin.index_select(0, triangle) + first * slope + row * down[triangle], slope


def _area(screen: Tensor) -> Tensor:
    """Return twice the signed area of each triangle on the screen."""
    (ax, ay, _), (bx, by, _), (cx, cy, _) = (corner.unbind(1) for corner in screen.unbind(1))
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


def _repeat(length: Tensor) -> tuple[Tensor, Tensor]:
    """Return, for runs of these lengths laid end to end, each item's run and place in it."""
    run = torch.repeat_interleave(length)
    start = length.cumsum(0) - length
    return run, torch.arange(len(run), device=run.device) - start.index_select(0, run)


# --- how bright ----------------------------------------------------------------------------


def _shade(
    mesh: Mesh, screen: Tensor, seen: Tensor, pixel: Tensor, side: int, light: Light
) -> Tensor:
    """Return the colour (P, C) of the triangles `seen` (P,) at `pixel` (P,) of their picture."""
    by_corner = mesh.albedo.ndim == 3
    face = _face_normals(mesh.corners)
    if mesh.normals is None and not by_corner:
        return (mesh.albedo * light.on(face, mesh.picture)[:, None])[seen]
    # index_select was measured seven times as fast as indexing.
    albedo, normal = mesh.albedo.index_select(0, seen), face.index_select(0, seen)
    weights = _weights(screen.index_select(0, seen), pixel % side, pixel // side)
    if mesh.normals is not None:
        normal = _along(_unit(_mix(mesh.normals.index_select(0, seen), weights)), normal)
    bright = light.on(normal, mesh.picture.index_select(0, seen))
    return (_mix(albedo, weights) if by_corner else albedo) * bright[:, None]


def _face_normals(corners: Tensor) -> Tensor:
    a, b, c = corners.unbind(1)
    (px, py, pz), (qx, qy, qz) = (b - a).unbind(1), (c - a).unbind(1)
    normal = torch.stack([py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx], dim=1)
    return _towards_eye(_unit(normal), corners)


def _towards_eye(normal: Tensor, corners: Tensor) -> Tensor:
    """Flip normals (P, 3) that point away: meshes from catalogues mix windings."""
    x, y, z = (corners[:, 0] + corners[:, 1] + corners[:, 2]).unbind(1)
    nx, ny, nz = normal.unbind(1)
    away = nz * (3 * EYE - z) - nx * x - ny * y < 0
    return torch.where(away[:, None], -normal, normal)


def _along(normal: Tensor, face: Tensor) -> Tensor:
    """Flip normals (P, 3) that point against those of their faces.

    At the outline a mixed normal may look away from the eye although its face does not; flipped
    for that, it would be lit from the wrong side.
    """
    x, y, z = (normal * face).unbind(1)
    return torch.where((x + y + z < 0)[:, None], -normal, normal)


def _unit(vectors: Tensor) -> Tensor:
    x, y, z = vectors.unbind(-1)
    return vectors / (x * x + y * y + z * z).sqrt().clamp_min(1e-12)[:, None]


def _weights(screen: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """Return barycentric weights (P, 3) on the screen: not corrected for perspective."""
    a, b, c = screen[..., :2].unbind(1)
    (bx, by), (cx, cy) = (b - a).unbind(1), (c - a).unbind(1)
    px, py = column + 0.5 - a[:, 0], row + 0.5 - a[:, 1]
    area = bx * cy - by * cx
    of_b, of_c = (px * cy - py * cx) / area, (bx * py - by * px) / area
    return torch.stack([1 - of_b - of_c, of_b, of_c], dim=1).clamp(0, 1)


def _mix(values: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted sum (P, C) of values (P, 3, C)."""
    parts = (values * weights[:, :, None]).unbind(1)
    return parts[0] + parts[1] + parts[2]
