"""A site that the front desk's API is tested on, and its real server.

Camera `gate` may be seen by everybody, `vault-canary` only by who sees all. P-0001 was at both,
P-0002 only in the vault, P-0003 only at the gate.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from argon2 import PasswordHasher
from fastapi import FastAPI
from pydantic import SecretStr

from pipeline.api.app import make_app
from pipeline.api.config import FrontDeskConfig
from pipeline.api.desk import Desk
from pipeline.api.passwords import Passwords
from pipeline.api.server import Server, listen
from pipeline.api.visitors import hash_token
from pipeline.config import SiteConfig
from storage.config import StorageConfig
from storage.database import Database, open_database, upgrade
from storage.desk.accounts import create_account
from storage.desk.alerts import NewAlert
from storage.desk.interest import NewInterest, add_interest
from storage.desk.names import give_name
from storage.desk.plans import draw_plan, place_camera
from storage.desk.raising import raise_alert
from storage.desk.rules import NewRule, add_rule
from storage.desk.sessions import make_token
from storage.desk.shapes import NewShape, add_shape
from storage.desk.types import AlertSeverity, Role, ShapeKind
from storage.evidence import EvidenceStore
from storage.sightings import record_sighting
from storage.types import IdentityId
from storage.verdicts import same
from streams.clock import Clock, SystemClock
from streams.config import CameraConfig
from streams.types import CameraId
from tests.processes import PATIENCE_S
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, link_new, link_to, sighting

GATE, VAULT = CameraId("gate"), CameraId("vault-canary")
API = "/api/v1"
PASSWORD = "a canary that sings 7"
CHEAP = PasswordHasher(time_cost=1, memory_cost=256, parallelism=1)
DAY_US = 86_400_000_000


@dataclass(slots=True, kw_only=True)
class Site:
    """A site with its server.

    Attributes:
        tokens: By account, such as `viewer` or `admin-gate`.
        pictures: sha256 of crops by visit number.
    """

    folder: Path
    config: SiteConfig
    database: Database
    app: FastAPI
    url: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    pictures: dict[int, str] = field(default_factory=dict)
    _known: dict[str | None, httpx.Client] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        desk = self.app.state.desk
        assert isinstance(desk, Desk)
        return desk

    def client(self, account: str | None = None) -> httpx.Client:
        """Somebody who asks, with a token of the account."""
        headers = {} if account is None else {"Authorization": f"Bearer {self.tokens[account]}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S, verify=False)

    def known(self, account: str | None = None) -> httpx.Client:
        """The same, kept open: a connection costs more than a question."""
        if account not in self._known:
            self._known[account] = self.client(account)
        return self._known[account]

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Client:
        """A browser that signed in; it sends the CSRF header by itself."""
        client = self.client()
        answer = client.post(f"{API}/session", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["X-Noctule-CSRF"] = answer.json()["csrf"]
        return client


def jpeg(number: int, size: int = 32) -> bytes:
    """A picture like no other."""
    pixels = np.random.default_rng(number).integers(0, 255, (2 * size, size, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", pixels)[1].tobytes())


@contextmanager
def open_site(
    folder: Path,
    *,
    clock: Clock | None = None,
    front_desk: Mapping[str, Any] | None = None,
    filled: bool = True,
    address: str | None = None,
    with_pages: bool = False,
    live_only: bool = False,
    recorded_only: bool = False,
) -> Iterator[Site]:
    """A site that answers on a free port, by default on SQLite.

    Its cameras are a recording and a live one, which no watcher takes together, unless told.
    """
    if address is None:
        address = f"sqlite:///{folder}/noctule.db"
        _copy_empty(folder / "noctule.db")
    (folder / "gate.mp4").touch()
    gate = CameraConfig(name=GATE, source=SecretStr(str(folder / "gate.mp4")))
    vault = CameraConfig(name=VAULT, source=SecretStr("rtsp://op:secret-canary@10.0.0.9/vault"))
    config = SiteConfig(
        cameras=(vault,) if live_only else (gate,) if recorded_only else (gate, vault),
        cameras_file=folder / "cameras.yaml",
        storage=StorageConfig(
            database=SecretStr(address),
            evidence=folder / "evidence",
            spool=folder / "spool",
            reserve_mb=0,
        ),
        front_desk=FrontDeskConfig(**{"port": 0, **(front_desk or {})}),
    )
    with open_database(address) as database:
        passwords = Passwords(CHEAP)
        app = make_app(
            config, database, clock or SystemClock(), passwords=passwords, with_pages=with_pages
        )
        site = Site(folder=folder, config=config, database=database, app=app)
        make_accounts(site, passwords)
        if filled:
            fill(site)
        with serving(site):
            yield site


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        upgrade(f"sqlite:///{folder}/noctule.db")
        return (Path(folder) / "noctule.db").read_bytes()


def _copy_empty(file: Path) -> None:
    """Tables cost more to make than to copy."""
    file.write_bytes(_empty_database())


@contextmanager
def serving(site: Site) -> Iterator[None]:
    """The real server in a thread, until the block is left."""
    ready = threading.Event()
    listening = listen(site.config.front_desk)
    site.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = Server(site.app, site.config.front_desk, on_ready=lambda _: ready.set())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_S)
    try:
        yield
    finally:
        for client in site._known.values():
            client.close()
        server.stop()
        thread.join(PATIENCE_S)
        listening.close()
        assert not thread.is_alive()


def make_accounts(site: Site, passwords: Passwords) -> None:
    """One account of each role and scope, each with a token: `viewer`, `viewer-gate`, ..."""
    now_us = SystemClock().now_us()
    for role in Role:
        for suffix, cameras in (("", None), ("-gate", [GATE])):
            name = f"{role.value}{suffix}"
            account = create_account(
                site.database,
                name,
                password_hash=passwords.hash(PASSWORD),
                role=role,
                cameras=cameras,
                must_change=False,
                by="test",
                now_us=now_us,
            )
            site.tokens[name] = f"noc_{name}"
            make_token(
                site.database,
                account,
                hash_token(site.tokens[name]),
                name="test",
                role=role,
                expires_at_us=None,
                by="test",
                now_us=now_us,
            )


def fill(site: Site) -> None:
    """People, a verdict, alerts, rules, shapes, a plan, names, persons of interest, live files."""
    now_us = site.desk.clock.now_us()
    evidence = EvidenceStore(site.config.storage.evidence)
    people = (
        (1, GATE, link_new()),
        (2, VAULT, link_new()),
        (3, GATE, link_new()),
        (4, VAULT, link_to(1)),
        (5, GATE, link_to(1)),
    )
    for number, camera, link in people:
        site.pictures[number] = evidence.put(jpeg(number))
        crops = (exemplar(1, number, 0, 0, evidence=site.pictures[number]),)
        visit = sighting(number, camera=camera, link=link, exemplars=crops)
        record_sighting(site.database, visit, now_us=now_us)
    first, second, third = (IdentityId(number) for number in (1, 2, 3))
    same(site.database, _visit(5), first, by="ada", now_us=now_us)  # V1, gate and vault
    same(site.database, _visit(2), second, by="ada", now_us=now_us)  # V2, vault only
    same(site.database, _visit(3), third, by="ada", now_us=now_us)  # V3, gate only
    give_name(site.database, first, "red coat", made_by="ada", now_us=now_us)
    give_name(site.database, second, "name-canary", made_by="ada", now_us=now_us)
    for number, camera in ((1, GATE), (2, VAULT)):
        raise_alert(site.database, _alert(number, camera, site), deliveries=[], now_us=now_us)
        rule = {"cameras": [camera]}
        new = NewRule(name=f"rule on {camera}", kind="camera down", settings=rule, is_on=True)
        add_rule(site.database, new, made_by="ada", now_us=now_us)
        corners = ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))
        shape = NewShape(camera=camera, kind=ShapeKind.ZONE, name="dock", points=corners)
        add_shape(site.database, shape, made_by="ada", now_us=now_us)
        interest = NewInterest(
            name=f"wanted at {camera}",
            reason="test",
            expires_at_us=now_us + DAY_US,
            identity=IdentityId(number),
        )
        made_by = "operator-gate" if camera == GATE else "operator"
        add_interest(site.database, interest, made_by=made_by, now_us=now_us)
        place_camera(site.database, camera, (1.0, 2.0), made_by="ada", now_us=now_us)
        write_live(site, camera)
    plan = evidence.put(jpeg(99))
    draw_plan(site.database, plan, metres_per_pixel=0.1, made_by="ada", now_us=now_us)


def write_live(site: Site, camera: CameraId, *, health: str = "live", number: int = 50) -> None:
    """What the watcher leaves of a camera."""
    folder = site.config.live_folder
    folder.mkdir(parents=True, exist_ok=True)
    now_us = site.desk.clock.now_us()
    state = {
        "camera": camera,
        "captured_at_us": now_us,
        "written_at_us": now_us + DAY_US,  # it does not grow old while tests go on
        "modality": "visible",
        "boxes": [{"xyxy": [0.1, 0.1, 0.2, 0.4], "track": "t", "person": None,
                   "candidate": "P-0002", "probability": 0.5}],
        "health": health,
        "fps": 12.5,
        "blind_since_us": None,
    }  # fmt: skip
    for name, content in ((f"{camera}.jpg", jpeg(number)), (f"{camera}.json", json.dumps(state))):
        unfinished = folder / f".{name}.part"
        unfinished.write_bytes(content if isinstance(content, bytes) else content.encode())
        unfinished.replace(folder / name)


def _visit(number: int) -> Any:
    return number


def _alert(number: int, camera: CameraId, site: Site) -> NewAlert:
    return NewAlert(
        key=f"rule/{number}",
        rule=f"rule on {camera}",
        kind="zone entered",
        severity=AlertSeverity.WARNING,
        began_us=TEN_O_CLOCK_US,
        sentence=f"somebody entered 'dock' on {camera}",
        identity=IdentityId(number),
        picture=site.pictures[number],
        picture_camera=camera,
        cameras=(camera,),
        sightings=(f"{camera}/{number}",),
    )
