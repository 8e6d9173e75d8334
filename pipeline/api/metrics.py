"""Rates and levels for Prometheus: how much is asked, how long it takes, what the cameras do."""

from __future__ import annotations

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.api.live import SEEING, LiveState
from streams.types import CameraId

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counts of one server; threads may share it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "noctule_api_requests",
            "Questions answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "noctule_api_request_seconds",
            "Seconds until an answer began.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.logins = Counter(
            "noctule_api_logins", "Logins by outcome.", ("outcome",), registry=self.registry
        )
        self.streams = Gauge(
            "noctule_api_streams", "Live pictures and event streams open.", registry=self.registry
        )

    def render(self, states: Mapping[CameraId, LiveState | None], *, now_us: int) -> bytes:
        """All in Prometheus' text format, with the state of these cameras."""
        cameras = CollectorRegistry()
        age = Gauge(
            "noctule_camera_word_age_seconds",
            "Seconds since the watcher said how the camera does.",
            ("camera",),
            registry=cameras,
        )
        fps = Gauge("noctule_camera_fps", "Pictures a second.", ("camera",), registry=cameras)
        sees = Gauge("noctule_camera_live", "1: the camera sees.", ("camera",), registry=cameras)
        for camera, state in states.items():
            sees.labels(camera).set(0 if state is None else state.health in SEEING)
            if state is None:
                continue
            if state.written_at_us is not None:
                age.labels(camera).set((now_us - state.written_at_us) / 1e6)
            rate = state.values.get("fps")
            if isinstance(rate, int | float):
                fps.labels(camera).set(rate)
        return generate_latest(self.registry) + generate_latest(cameras)


class Measured:
    """Counts every request under the pattern of its route, never under what was asked."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._metrics.requests.labels(method, route, str(message["status"])).inc()
                self._metrics.seconds.labels(route).observe(time.perf_counter() - began_s)
            await send(message)

        await self._app(scope, receive, send_counted)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
