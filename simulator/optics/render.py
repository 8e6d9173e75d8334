"""Draws dressed people in a place, in one kind of light, with the mask of who is where.

OpenGL 3.3 without a window, through EGL, which takes a graphics card's driver where there is one
and Mesa's software renderer otherwise. The environment chooses another: GLCONTEXT_DEVICE_INDEX is
the number of the EGL device, LIBGL_ALWAYS_SOFTWARE=1 takes Mesa's software renderer, and EGL needs
the vendor's library (libEGL_nvidia) to see an NVIDIA card, which containers get by
NVIDIA_DRIVER_CAPABILITIES=graphics.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from simulator.figures.people import Person, Posed
from simulator.optics import shaders
from simulator.optics.bands import Band
from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Light, Radiance, Warmth
from simulator.optics.uniforms import (
    clothes,
    cuts,
    lights,
    set_uniforms,
    sun_matrix,
    unit,
    warmths,
)
from simulator.world.meshes import Mesh

_SHADOW_MAP_PX = 2048
_LARGEST_IDENTITY = 2048  # the mask is float16, exact up to here
_NIGHT = (0.003, 0.003, 0.003)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rendering:
    """What reached the sensor.

    Attributes:
        light: Linear radiance, (H, W, 3) float32 in visible light, (H, W) in near infrared. In
            the thermal band apparent temperature (Celsius), (H, W).
        identities: (H, W) int16, identity of the person seen at each pixel, 0 for the place.
    """

    light: Radiance
    identities: npt.NDArray[np.int16]


@dataclass(slots=True)
class _Figure:
    person: Person
    dynamic: Any
    shaded: Any
    shadow: Any
    silhouette: Any
    buffers: tuple[Any, ...]


class Renderer:
    """One size of picture, one band of light, one place; people come and go.

    Use as a context manager, or call `close`.
    """

    def __init__(
        self,
        *,
        size_px: tuple[int, int],
        band: Band,
        place: Mesh | None = None,
        supersampling: int = 2,
    ) -> None:
        import moderngl

        self._size_px = size_px
        self._band = band
        self._supersampling = supersampling
        _load_triton_before_mesa()
        create_context: Any = moderngl.create_context
        self._context = create_context(standalone=True, backend="egl")
        self._context.enable(moderngl.DEPTH_TEST)
        self._context.disable(moderngl.CULL_FACE)
        self._context.depth_func = "<="
        self._compile()
        self._allocate()
        self._people: dict[int, _Figure] = {}
        self._still_of: tuple[View, Light] | None = None
        self._place = self._upload_place(place) if place is not None else None

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the graphics context back."""
        self._context.release()

    def add(self, person: Person) -> None:
        """Make `person` known; it is drawn whenever a pose of it is given.

        Raises:
            ValueError: If the identity is not one that the mask can hold.
        """
        if not 0 < person.identity <= _LARGEST_IDENTITY:
            raise ValueError(
                f"identity: expected 1 to {_LARGEST_IDENTITY}, got {person.identity}; "
                "number people from 1 in each scene"
            )
        with self._context:
            context = self._context
            mesh = person.mesh
            n = len(mesh.rest)
            parts = mesh.parts[:, list(shaders.PARTS_FOR_SHADER)]
            fixed = np.hstack([mesh.reference, parts, mesh.materials[:, None]]).astype(np.float32)
            dynamic = context.buffer(reserve=n * 24, dynamic=True)
            static, faces = context.buffer(fixed.tobytes()), context.buffer(mesh.faces.tobytes())
            layout = [
                (dynamic, "3f 3f", "position", "normal"),
                (static, "3f 4f", "reference", "part_material"),
            ]
            self._people[person.identity] = _Figure(
                person=person,
                dynamic=dynamic,
                shaded=context.vertex_array(self._person, layout, faces),
                shadow=context.vertex_array(self._shadow, [(dynamic, "3f 3x4", "position")], faces),
                silhouette=context.vertex_array(self._silhouette, layout, faces, skip_errors=True),
                buffers=(dynamic, static, faces),
            )

    def remove(self, identity: int) -> None:
        """Forget a person and free its memory."""
        with self._context:
            figure = self._people.pop(identity)
            for thing in (figure.shaded, figure.shadow, figure.silhouette, *figure.buffers):
                thing.release()

    def draw(self, poses: Mapping[int, Posed], view: View, light: Light) -> Rendering:
        """The place and everybody in `poses`, as `view` sees them in `light`.

        Args:
            poses: By identity; may be empty.
            light: Of the renderer's band.

        Raises:
            ValueError: If the light is not of the renderer's band.
        """
        if light.band is not self._band:
            raise ValueError(
                f"light: expected one for {self._band} pictures, got {type(light).__name__}"
            )
        with self._context:
            if (view, light) != self._still_of:
                self._draw_still(view, light)
            self._write(poses)
            to_sun = self._draw_shadows(poses, light, view) if isinstance(light, Daylight) else None
            self._context.copy_framebuffer(self._frame, self._still)
            self._frame.use()
            for program in (self._person, self._surface):
                set_uniforms(program, to_clip=view.matrix(), **lights(view, light, to_sun))
            for identity, posed in poses.items():
                if isinstance(light, Daylight) and self._place is not None:
                    self._frame.scissor = self._shadowed_part(posed, view, light)
                    self._place[0].render()
                    self._frame.scissor = None
                person = self._people[identity].person
                set_uniforms(self._person, **clothes(person))
                if isinstance(light, Warmth):
                    set_uniforms(self._person, **warmths(person, light))
                self._people[identity].shaded.render()
            return self._read(light)

    def count_alone_px(self, poses: Mapping[int, Posed], view: View) -> dict[int, int]:
        """Pixels that each person would cover if nobody and nothing stood before it.

        Counts what lies up to half a picture outside the frame too.
        """
        with self._context:
            self._write(poses)
            set_uniforms(self._silhouette, to_clip=view.matrix(widened=2.0))
            covered: dict[int, int] = {}
            for identity in poses:
                figure = self._people[identity]
                set_uniforms(self._silhouette, **cuts(figure.person))
                self._alone.use()
                self._alone.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
                figure.silhouette.render()
                drawn = np.frombuffer(self._alone.read(components=1, alignment=1), np.uint8)
                covered[identity] = int(np.count_nonzero(drawn))
            return covered

    def _compile(self) -> None:
        def program(vertex: str, fragment: str) -> Any:
            return self._context.program(vertex_shader=vertex, fragment_shader=fragment)

        self._person = program(shaders.PERSON_VERTEX, shaders.person_fragment(self._band))
        self._surface = program(shaders.PLACE_VERTEX, shaders.place_fragment(self._band))
        self._shadow = program(shaders.SHADOW_VERTEX, shaders.SHADOW_FRAGMENT)
        self._silhouette = program(shaders.PERSON_VERTEX, shaders.SILHOUETTE_FRAGMENT)

    def _allocate(self) -> None:
        context = self._context
        width, height = self._size_px
        inner = (width * self._supersampling, height * self._supersampling)
        self._colour = context.texture(inner, 4, dtype="f2")
        self._identity = context.texture(inner, 1, dtype="f2")
        self._frame: Any = context.framebuffer(
            [self._colour, self._identity], context.depth_renderbuffer(inner)
        )
        self._still = context.framebuffer(
            [context.texture(inner, 4, dtype="f2"), context.texture(inner, 1, dtype="f2")],
            context.depth_renderbuffer(inner),
        )
        wide = (width * 2, height * 2)
        self._alone = context.framebuffer(
            [context.texture(wide, 1)], context.depth_renderbuffer(wide)
        )
        self._shadow_map = context.depth_texture((_SHADOW_MAP_PX, _SHADOW_MAP_PX))
        self._shadow_map.compare_func = "<="
        self._shadow_frame = context.framebuffer(depth_attachment=self._shadow_map)

    def _upload_place(self, place: Mesh) -> tuple[Any, Any]:
        vertices = self._context.buffer(place.vertices.tobytes())
        faces = self._context.buffer(place.faces.tobytes())
        layout = [(vertices, "3f 3f 4f 1f", "position", "normal", "paint", "surface")]
        return (
            self._context.vertex_array(self._surface, layout, faces),
            self._context.vertex_array(self._shadow, [(vertices, "3f 8x4", "position")], faces),
        )

    def _draw_still(self, view: View, light: Light) -> None:
        """Draw the place without people, once for a camera that does not move."""
        to_sun = self._draw_shadows({}, light, view) if isinstance(light, Daylight) else None
        self._still.use()
        self._still.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        if self._place is not None:
            set_uniforms(self._surface, to_clip=view.matrix(), **lights(view, light, to_sun))
            self._place[0].render()
        self._still_of = (view, light)

    def _shadowed_part(
        self, posed: Posed, view: View, light: Daylight
    ) -> tuple[int, int, int, int]:
        """Where this person's shadow may fall, as a scissor: x, y, width, height from below."""
        sun = np.array(unit(light.sun_from))
        way = posed.vertices[:, 2:] / sun[2]
        spread = np.array([light.softness_m, light.softness_m, 0])
        shadow = np.concatenate([posed.vertices - way * sun + side * spread for side in (-1, 1)])
        points = view.project(np.concatenate([posed.vertices, shadow]))
        width, height = self._size_px
        if np.isnan(points).any():
            low, high = np.zeros(2), np.array([width, height], float)
        else:
            low = np.clip(points.min(axis=0) - 2, 0, [width, height])
            high = np.clip(points.max(axis=0) + 2, 0, [width, height])
        x0, x1 = (int(value) * self._supersampling for value in (low[0], high[0]))
        y0, y1 = (int(height - value) * self._supersampling for value in (high[1], low[1]))
        return (x0, y0, x1 - x0, y1 - y0)

    def _write(self, poses: Mapping[int, Posed]) -> None:
        for identity, posed in poses.items():
            mesh = np.hstack([posed.vertices, posed.normals]).astype(np.float32)
            self._people[identity].dynamic.write(mesh.tobytes())

    def _draw_shadows(
        self, poses: Mapping[int, Posed], light: Daylight, view: View
    ) -> npt.NDArray[np.float32]:
        matrix = sun_matrix(light.sun_from, view)
        self._shadow_frame.use()
        self._shadow_frame.clear(depth=1.0)
        set_uniforms(self._shadow, to_clip=matrix)
        for identity in poses:
            self._people[identity].shadow.render()
        if self._place is not None:
            self._place[1].render()
        self._shadow_map.use(0)
        return matrix

    def _read(self, light_source: Light) -> Rendering:
        width, height = self._size_px
        factor = self._supersampling

        def picture(texture: Any, channels: int) -> Radiance:
            values = np.frombuffer(texture.read(), np.float16)
            return values.reshape(height * factor, width * factor, channels)[::-1].astype(
                np.float32
            )

        colour = picture(self._colour, 4)
        background = np.array(_background(light_source), np.float32)
        light = np.where(colour[..., 3:] < 0.5, background, colour[..., :3])
        if self._band is not Band.VISIBLE:
            light = np.ascontiguousarray(light[..., 0])
        light = cv2.resize(light, (width, height), interpolation=cv2.INTER_AREA)
        if isinstance(light_source, Warmth):
            light = light + np.float32(light_source.air_c)
        identities = picture(self._identity, 1)[factor // 2 :: factor, factor // 2 :: factor, 0]
        return Rendering(light=light, identities=np.round(identities).astype(np.int16))


def _background(light: Light) -> tuple[float, float, float]:
    """What the renderer's picture holds where nothing stands."""
    if isinstance(light, Daylight):
        return light.background
    if isinstance(light, Warmth):
        return (light.sky_c - light.air_c,) * 3
    return _NIGHT


def _load_triton_before_mesa() -> None:
    """Load triton, where torch brought it, before the first context.

    Mesa's software renderer and triton each bring an LLVM; the process dies when triton's is
    loaded second, which torch does at some later import.
    """
    with contextlib.suppress(ImportError):
        importlib.import_module("triton")
