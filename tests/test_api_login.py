"""Signing in: no guessing, no telling who is there, no request from elsewhere, no secret kept."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.api.passwords import Passwords, one_time_password
from pipeline.api.server import first_password
from pipeline.api.throttle import PER_ACCOUNT_AND_ADDRESS, PER_ADDRESS, WINDOW_S
from storage.audit import audit_entries, verify_audit
from storage.desk.accounts import account_named, set_active, set_cameras, set_role
from storage.desk.types import Role
from streams.clock import ManualClock
from tests.api_site import API, GATE, PASSWORD, Site, open_site
from tests.storage_builders import TEN_O_CLOCK_US

HOUR_US = 3_600_000_000


@pytest.fixture
def clock() -> ManualClock:
    # later than the accounts of the site, which are made by the machine's clock
    return ManualClock(now_us=TEN_O_CLOCK_US + 10**15)


@pytest.fixture
def site(tmp_path: Path, clock: ManualClock) -> Iterator[Site]:
    with open_site(tmp_path, clock=clock, filled=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For tests that leave it as it was."""
    with open_site(tmp_path_factory.mktemp("shared"), filled=False) as opened:
        yield opened


def sign_in(client: httpx.Client, name: str, password: str) -> httpx.Response:
    return client.post(f"{API}/session", json={"name": name, "password": password})


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


def test_a_session_lasts_until_it_is_idle_too_long_or_over(site: Site, clock: ManualClock) -> None:
    browser = site.sign_in("viewer")
    for _ in range(11):
        clock.sleep(3600)
        assert browser.get(f"{API}/session").status_code == 200

    clock.sleep(3601)  # twelve hours after it began, however busy it was

    assert browser.get(f"{API}/session").status_code == 401
    other = site.sign_in("viewer")
    clock.sleep(2 * 3600 + 1)
    assert other.get(f"{API}/session").status_code == 401


def test_signing_out_makes_the_cookie_void(site: Site) -> None:
    browser = site.sign_in("viewer")
    cookie = browser.cookies["noctule_session"]

    assert browser.delete(f"{API}/session").status_code == 200

    browser.cookies.set("noctule_session", cookie)
    assert browser.get(f"{API}/session").status_code == 401


def test_the_cookie_is_kept_from_scripts_and_other_sites(shared: Site) -> None:
    answer = sign_in(shared.client(), "viewer", PASSWORD)

    told = answer.headers["set-cookie"].lower()

    assert "httponly" in told
    assert "samesite=strict" in told
    assert "domain=" not in told


def test_a_one_time_password_opens_nothing_but_its_own_change(tmp_path: Path) -> None:
    with open_site(tmp_path, filled=False) as site:
        with sqlite3.connect(tmp_path / "noctule.db") as raw:
            for table in ("account_camera", "api_token", "account"):
                raw.execute(f"DELETE FROM {table}")
        given = first_password(site.desk)
        assert given is not None
        assert first_password(site.desk) is None

        browser = site.sign_in("admin", given)

        assert browser.get(f"{API}/session").json()["must_change"] is True
        assert code_of(browser.get(f"{API}/cameras")) == "password_must_change"
        assert code_of(browser.get(f"{API}/users")) == "password_must_change"
        new = {"old": given, "new": "four plain words here"}
        assert browser.put(f"{API}/session/password", json=new).status_code == 200
        assert browser.get(f"{API}/users").status_code == 200
        assert sign_in(site.client(), "admin", given).status_code == 401


@pytest.mark.parametrize(
    ("new", "code"),
    [
        pytest.param("short", "invalid", id="short"),
        pytest.param("viewer-viewer-viewer", "invalid", id="the name"),
        pytest.param("aaaaaaaaaaaaaaaa", "invalid", id="one letter"),
        pytest.param(PASSWORD, "invalid", id="the old one"),
    ],
)
def test_a_weak_password_is_refused(shared: Site, new: str, code: str) -> None:
    browser = shared.sign_in("viewer")

    answer = browser.put(f"{API}/session/password", json={"old": PASSWORD, "new": new})

    assert (answer.status_code, code_of(answer)) == (400, code)


def test_changing_the_password_ends_all_other_sessions(site: Site) -> None:
    here, elsewhere = site.sign_in("viewer"), site.sign_in("viewer")

    new = {"old": PASSWORD, "new": "quite another sentence"}
    assert here.put(f"{API}/session/password", json=new).status_code == 200

    assert here.get(f"{API}/session").status_code == 200
    assert elsewhere.get(f"{API}/session").status_code == 401


def test_wrong_names_and_wrong_passwords_get_the_same_answer(site: Site) -> None:
    set_active(site.database, "operator", False, by="test", now_us=site.desk.clock.now_us())

    answers = [
        sign_in(site.client(), name, "not the password")
        for name in ("viewer", "nobody", "operator", "' OR 1=1 --", "a" * 200, "\x00")
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert sign_in(site.client(), "operator", PASSWORD).text == answers[0].text


def test_wrong_names_take_as_long_as_wrong_passwords(shared: Site) -> None:
    """At the real cost; without a comparison an unknown name would take a hundredth of it."""
    passwords = Passwords()
    kept = passwords.hash(PASSWORD)

    def seconds(name: str, hash_of: str | None) -> float:
        began = time.process_time()
        account_named(shared.database, name)
        assert not passwords.is_right("wrong", hash_of)
        return time.process_time() - began

    in_turn = [(seconds("viewer", kept), seconds("nobody", None)) for _ in range(5)]
    known, unknown = (min(taken) for taken in zip(*in_turn, strict=True))  # as if nobody disturbed
    assert 0.5 < known / unknown < 2


def test_guessing_is_stopped_per_account_and_address(site: Site, clock: ManualClock) -> None:
    client = site.client()
    for number in range(PER_ACCOUNT_AND_ADDRESS):
        assert sign_in(client, "viewer", f"guess {number}").status_code == 401

    stopped = sign_in(client, "viewer", PASSWORD)
    unknown = [sign_in(client, "nobody", "guess") for _ in range(PER_ACCOUNT_AND_ADDRESS + 1)][-1]

    assert stopped.status_code == 429
    assert 0 < int(stopped.headers["retry-after"]) <= WINDOW_S
    assert unknown.text == stopped.text, "whether there is such an account must not be told"
    assert sign_in(client, "operator", PASSWORD).status_code == 200
    clock.sleep(WINDOW_S + 1)
    assert sign_in(client, "viewer", PASSWORD).status_code == 200


def test_guessing_many_accounts_is_stopped_per_address(site: Site) -> None:
    client = site.client()

    answers = [sign_in(client, f"name{number}", "guess") for number in range(PER_ADDRESS + 1)]

    assert [answer.status_code for answer in answers] == [401] * PER_ADDRESS + [429]


def test_proxies_are_believed_only_where_they_are_trusted(tmp_path: Path) -> None:
    with open_site(tmp_path, filled=False) as site:
        client = site.client()
        for number in range(PER_ACCOUNT_AND_ADDRESS):
            client.headers["X-Forwarded-For"] = f"192.0.2.{number}"
            sign_in(client, "viewer", "guess")
        client.headers["X-Forwarded-For"] = "192.0.2.99"

        assert sign_in(client, "viewer", PASSWORD).status_code == 429


def test_a_trusted_proxy_tells_the_address_and_tls(tmp_path: Path) -> None:
    trusting = {"trusted_proxies": ("127.0.0.1",)}
    with open_site(tmp_path, filled=False, front_desk=trusting) as site:
        client = site.client()
        client.headers["X-Forwarded-For"] = "192.0.2.1"
        for _ in range(PER_ACCOUNT_AND_ADDRESS):
            sign_in(client, "viewer", "guess")
        assert sign_in(client, "viewer", PASSWORD).status_code == 429
        client.headers.update({"X-Forwarded-For": "192.0.2.2", "X-Forwarded-Proto": "https"})

        answer = sign_in(client, "viewer", PASSWORD)

        assert answer.status_code == 200
        assert "__host-noctule_session=" in answer.headers["set-cookie"].lower()
        assert "secure" in answer.headers["set-cookie"].lower()
        assert "strict-transport-security" in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-Noctule-CSRF": ""}, id="no header"),
        pytest.param({"X-Noctule-CSRF": "0" * 64}, id="a wrong one"),
        pytest.param({"X-Noctule-CSRF": "ü"}, id="no ASCII"),
        pytest.param({"Origin": "https://evil.example"}, id="a page of another site"),
        pytest.param({"Origin": "null"}, id="a page of nowhere"),
    ],
)
def test_requests_from_elsewhere_change_nothing(shared: Site, headers: dict[str, str]) -> None:
    browser = shared.sign_in("admin")

    user = {"name": "mallory", "role": "admin", "cameras": None}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = browser.post(f"{API}/users", json=user, headers=httpx.Headers(raw))

    assert (answer.status_code, code_of(answer)) == (403, "csrf")
    assert "mallory" not in browser.get(f"{API}/users").text


def test_another_session_s_csrf_value_is_refused(shared: Site) -> None:
    mine, yours = shared.sign_in("admin"), shared.sign_in("admin")

    mine.headers["X-Noctule-CSRF"] = yours.headers["X-Noctule-CSRF"]

    assert code_of(mine.post(f"{API}/audit/verify")) == "csrf"


def test_signing_in_from_another_site_s_page_is_refused(shared: Site) -> None:
    client = shared.client()
    client.headers["Origin"] = "https://evil.example"

    assert code_of(sign_in(client, "viewer", PASSWORD)) == "csrf"
    form = {"name": "viewer", "password": PASSWORD}
    assert shared.client().post(f"{API}/session", data=form).status_code == 422
    plain = {"Content-Type": "text/plain"}
    body = json.dumps(form)
    assert shared.client().post(f"{API}/session", content=body, headers=plain).status_code == 422


@pytest.mark.parametrize(
    "claim",
    ["Bearer", "Bearer x", "Basic dmlld2VyOmE=", "Bearer " + "a" * 5000],
)
def test_a_wrong_token_is_nobody(shared: Site, claim: str) -> None:
    answer = shared.client().get(f"{API}/cameras", headers={"Authorization": claim})

    assert answer.status_code in (400, 401, 431)


def test_a_token_ends_is_taken_back_and_never_more_than_its_account(
    site: Site, clock: ManualClock
) -> None:
    browser = site.sign_in("operator")
    asked = {"name": "mqtt", "role": "operator", "days": 1}
    made = browser.post(f"{API}/tokens", json=asked).json()
    program = site.client()
    program.headers["Authorization"] = f"Bearer {made['secret']}"
    now_us = site.desk.clock.now_us()

    assert program.get(f"{API}/session").json()["role"] == "operator"
    assert browser.post(f"{API}/tokens", json={**asked, "role": "admin"}).status_code == 403
    assert program.post(f"{API}/tokens", json=asked).status_code == 403
    set_role(site.database, "operator", Role.VIEWER, by="test", now_us=now_us)
    assert program.get(f"{API}/session").json()["role"] == "viewer"
    set_cameras(site.database, "operator", [GATE], by="test", now_us=now_us)
    assert program.get(f"{API}/session").json()["cameras"] == [GATE]

    clock.sleep(24 * 3600 + 1)
    assert program.get(f"{API}/session").status_code == 401
    browser = site.sign_in("operator")
    again = browser.post(f"{API}/tokens", json={**asked, "role": "viewer"}).json()
    program.headers["Authorization"] = f"Bearer {again['secret']}"
    assert program.get(f"{API}/session").status_code == 200
    assert browser.delete(f"{API}/tokens/{again['token']['token']}").status_code == 200
    assert program.get(f"{API}/session").status_code == 401


def test_a_disabled_account_is_out_at_once(site: Site) -> None:
    admin, browser, program = site.sign_in("admin"), site.sign_in("viewer"), site.client("viewer")

    answer = admin.put(f"{API}/users/viewer", json={"is_active": False})

    assert answer.status_code == 200
    assert browser.get(f"{API}/session").status_code == 401
    assert program.get(f"{API}/session").status_code == 401


def test_the_last_administrator_stays(site: Site) -> None:
    admin = site.sign_in("admin")
    assert admin.put(f"{API}/users/admin-gate", json={"role": "viewer"}).status_code == 200

    for change in ({"role": "viewer"}, {"is_active": False}):
        answer = admin.put(f"{API}/users/admin", json=change)
        assert (answer.status_code, code_of(answer)) == (409, "account_refused")


def test_neither_passwords_nor_tokens_are_kept_or_told(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    browser = site.sign_in("admin")
    given = browser.post(
        f"{API}/users", json={"name": "ada", "role": "viewer", "cameras": ["gate"]}
    ).json()["one_time_password"]
    secret = browser.post(
        f"{API}/tokens", json={"name": "x", "role": "viewer", "days": None}
    ).json()["secret"]
    cookie = browser.cookies["noctule_session"]
    told = "".join(
        [
            browser.get(f"{API}/{noun}").text
            for noun in ("users", "tokens", "audit", "metrics", "session")
        ]
    )
    wrong = {"name": 7, "password": {"canary": PASSWORD}}
    told += site.client().post(f"{API}/session", json=wrong).text
    told += browser.put(f"{API}/session/password", json={"old": [PASSWORD], "new": given}).text

    kept = b"".join(file.read_bytes() for file in site.folder.glob("noctule.db*") if file.is_file())
    for word in (PASSWORD, given, secret, cookie):
        assert word not in told
        assert word.encode() not in kept
        assert word not in caplog.text
    assert not verify_audit(site.database)
    actions = {entry.action for entry in audit_entries(site.database)}
    assert {"sign in", "user add", "token make", "view audit"} <= actions


def test_one_time_passwords_are_long_and_differ() -> None:
    given = {one_time_password() for _ in range(100)}

    assert len(given) == 100
    assert all(len(each) == 23 for each in given)


@pytest.mark.parametrize(
    "name", ["", " ", "-x", "a b", "a/b", "<script>", "a" * 65, "a\nb", "\x00"]
)
def test_names_that_could_do_harm_are_refused(shared: Site, name: str) -> None:
    admin = shared.client("admin")

    answer = admin.post(f"{API}/users", json={"name": name, "role": "viewer", "cameras": None})

    assert answer.status_code in (409, 422), answer.text


def test_names_are_one_whatever_their_case(site: Site) -> None:
    admin = site.client("admin")

    first = admin.post(f"{API}/users", json={"name": "Ada", "role": "viewer", "cameras": None})
    second = admin.post(f"{API}/users", json={"name": "ADA", "role": "viewer", "cameras": None})

    assert (first.status_code, first.json()["user"]["name"]) == (201, "ada")
    assert (second.status_code, code_of(second)) == (409, "account_refused")
    given = first.json()["one_time_password"]
    assert sign_in(site.client(), "aDa", given).status_code == 200


def test_every_answer_carries_the_headers_that_keep_browsers_safe(shared: Site) -> None:
    for path in ("/health", "/cameras", "/nothing", "/users"):
        headers = shared.client().get(API + path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_large_questions_are_refused_told_or_not(shared: Site) -> None:
    client = shared.client("admin")

    told = client.post(f"{API}/users", content=b"x" * 300_000)
    untold = client.post(f"{API}/users", content=(b"x" * 50_000 for _ in range(10)))

    assert (told.status_code, code_of(told)) == (413, "too_large")
    assert (untold.status_code, code_of(untold)) == (413, "too_large")
