"""Settings of seeing, and the `Section` that all rooms' settings are made of."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    SecretStr,
    field_validator,
    model_validator,
)

from streams.address import expand, is_live, refuse_unsupported
from streams.naming import plain_name


class Section(BaseModel):
    """One block of `config.yaml`: frozen, closed, every field with unit and description.

    Errors do not repeat what was written: it may be a password.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Fraction = Annotated[float, Field(ge=0, le=1)]
_Row = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
_LEAST_VOLUME = 1e-14
"""Of the box that the three rows span, columns and rows at length 1: below it, rounding decides."""


_Spot = tuple[Fraction, Fraction]
ShapeName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="As operators call it; the same name on several cameras is one place.",
    ),
    AfterValidator(plain_name),
]


class ZoneConfig(Section):
    """A part of a camera's picture, named."""

    name: ShapeName
    points: Annotated[
        tuple[_Spot, ...],
        Field(
            min_length=3,
            max_length=100,
            description="Corners [x, y] in order, fractions of the picture from its top left.",
        ),
    ]


class LineConfig(Section):
    """A line on a camera's picture, named; its direction counts."""

    name: ShapeName
    points: Annotated[
        tuple[_Spot, ...],
        Field(
            min_length=2,
            max_length=100,
            description="Points [x, y] in order, fractions of the picture from its top left.",
        ),
    ]


class CameraConfig(Section):
    """One camera: where it is, what light it sees, and how patient to be with it."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_-]{1,64}$",
            description="Unique name, 1 to 64 letters, digits, _ or -; appears in every answer.",
        ),
    ]
    source: Annotated[
        SecretStr,
        Field(
            description="rtsp:// or rtsps:// address, path of a video file, or folder of images. "
            "${NAME} is taken from the environment, and percent-encoded inside user:password@."
        ),
    ]
    modality: Annotated[
        Literal["auto", "visible", "infrared"],
        Field(description="Light the camera sees; auto looks at each picture's colour."),
    ] = "auto"
    starts_at: Annotated[
        AwareDatetime | None,
        Field(
            description="Recorded sources only: time of the first frame, with its time zone. "
            "Default: the file's creation_time tag, else its modification time."
        ),
    ] = None
    transport: Annotated[
        Literal["tcp", "udp"],
        Field(description="How RTSP carries the pictures; tcp loses none, udp may be quicker."),
    ] = "tcp"
    open_timeout_s: Annotated[
        float, Field(gt=0, le=60, description="Seconds to wait for a camera to answer.")
    ] = 5.0
    stall_after_s: Annotated[
        float,
        Field(
            gt=0,
            le=10,
            description="No packet for this many seconds: the camera is lost; a picture that the "
            "decoder held back can double the time.",
        ),
    ] = 4.0
    retry_denied_s: Annotated[
        float,
        Field(
            ge=1,
            description="Seconds between tries after a refused password; too few lock accounts.",
        ),
    ] = 60.0
    fps: Annotated[
        float,
        Field(gt=0, le=1000, description="Image folders only: pictures per second."),
    ] = 10.0
    region: Annotated[
        tuple[Fraction, Fraction, Fraction, Fraction] | None,
        Field(
            description="x0, y0, x1, y1 as fractions of the picture, 0 to 1 from its top left: "
            "this camera is only that part. Default: all of it."
        ),
    ] = None

    ground: Annotated[
        tuple[_Row, _Row, _Row] | None,
        Field(
            description="Homography from pixels of this camera to metres on the floor plan, three "
            "rows of three numbers, third coordinate positive in front of the camera; "
            "`noctule camera calibrate` writes it. Default: not known."
        ),
    ] = None

    zones: Annotated[
        tuple[ZoneConfig, ...],
        Field(
            description="Parts of the picture that alerts speak of, such as {name: loading dock, "
            "points: [[0.1, 0.5], [0.4, 0.5], [0.4, 1], [0.1, 1]]}: corners as fractions of the "
            "picture from its top left. What is drawn in the pages comes before one of that name."
        ),
    ] = ()
    lines: Annotated[
        tuple[LineConfig, ...],
        Field(description="Lines that alerts speak of, written as zones; two points or more."),
    ] = ()

    @field_validator("ground", mode="after")
    @classmethod
    def _is_invertible(
        cls, ground: tuple[_Row, _Row, _Row] | None
    ) -> tuple[_Row, _Row, _Row] | None:
        if ground is not None:
            columns = [_unit(column) for column in zip(*ground, strict=True)]
            a, b, c = (_unit(row) for row in zip(*columns, strict=True))
            volume = sum(a[i] * (b[i - 2] * c[i - 1] - b[i - 1] * c[i - 2]) for i in range(3))
            if not abs(volume) > _LEAST_VOLUME:
                raise ValueError(
                    "ground: expected three rows that can be inverted; write it with `noctule "
                    "camera calibrate`, from at least four points that are not on one line"
                )
        return ground

    @field_validator("source", mode="after")
    @classmethod
    def _expand_source(cls, source: SecretStr) -> SecretStr:
        expanded = expand(source.get_secret_value())
        refuse_unsupported(expanded)
        return SecretStr(expanded)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.region is not None:
            x0, y0, x1, y1 = self.region
            if x0 >= x1 or y0 >= y1:
                raise ValueError("region: expected x0 < x1 and y0 < y1, as fractions from 0 to 1")
        if self.starts_at is not None and self.is_live:
            raise ValueError("starts_at: a live camera tells its own time; remove it")
        names = [zone.name for zone in self.zones] + [line.name for line in self.lines]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"zones, lines: the name {twice[0]!r} is used twice on this camera")
        return self

    @property
    def is_live(self) -> bool:
        """Whether the source is a camera on the network rather than a recording."""
        return is_live(self.source.get_secret_value())


def _unit(row: _Row) -> _Row:
    """The row, or column, at length 1; zeros stay."""
    length = math.hypot(*row) or 1.0
    return row[0] / length, row[1] / length, row[2] / length


class MotionConfig(Section):
    """When a camera's pictures are worth looking for people in."""

    enabled: Annotated[
        bool, Field(description="false looks for people in every frame, moving or not.")
    ] = True
    min_change: Annotated[
        float,
        Field(
            gt=0,
            le=255,
            description="Grey levels (of 255) by which a patch must differ from the background; "
            "patches noisier than that need more.",
        ),
    ] = 8.0
    min_area_percent: Annotated[
        float,
        Field(
            gt=0,
            le=100,
            description="Smallest changed area that counts, in percent of the picture.",
        ),
    ] = 0.03
    keep_s: Annotated[
        float, Field(ge=0, description="Seconds to go on looking after the last motion.")
    ] = 10.0
    warm_up_s: Annotated[
        float,
        Field(ge=0, description="Seconds to look at everything after a start or a gap."),
    ] = 3.0
    absorb_s: Annotated[
        float,
        Field(
            gt=0,
            description="Seconds after which something new that stands still is background.",
        ),
    ] = 10.0
