"""noctule user: who may sign in, what they may do and see, and tokens of programs."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from pipeline.cli.desk import Desk, desk
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    OperatorOption,
)
from pipeline.cli.output import clock_time, print_json, print_line, print_table
from pipeline.errors import UsageInvalid
from storage.cameras import cameras
from storage.desk import accounts as book
from storage.desk.sessions import Token, make_token, revoke_token, tokens
from storage.desk.types import Role
from streams.naming import plain_name
from streams.types import CameraId

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Who may sign in, what they may do and see. "
    "Example: noctule user add ada --role operator --camera gate-1",
)
token_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Tokens of programs. Example: noctule user token make ada --name prometheus",
)
app.add_typer(token_app, name="token")

_DAY_US = 86_400_000_000
NameArgument = Annotated[str, typer.Argument(help="Name of the account.")]
RoleOption = Annotated[Role, typer.Option("--role", help="What it may do.")]
CamerasOption = Annotated[
    list[str] | None,
    typer.Option("--camera", help="A camera that it may see, again for more; default: all."),
]


@app.command("add")
def add(
    name: NameArgument,
    role: RoleOption = Role.VIEWER,
    camera: CamerasOption = None,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Make an account; prints its one-time password.

    Example: noctule user add ada --role operator --camera gate-1 --camera plaza
    """
    with desk(config, operator, create=True) as office:
        password, hashed = _one_time()
        book.create_account(
            office.database,
            name,
            password_hash=hashed,
            role=role,
            cameras=_known(office, camera),
            must_change=True,
            by=office.by,
            now_us=office.now_us,
        )
    _tell_password(name, password, as_json=as_json)


@app.command("list")
def show(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Who may sign in. Example: noctule user list"""
    with desk(config, None, create=True) as office:
        found = book.accounts(office.database)
    if as_json:
        print_json([_to_json(account) for account in found])
        return
    print_table(
        ("name", "role", "cameras", "state", "made at (UTC)"),
        [
            (
                account.name,
                account.role.value,
                "all" if account.sees_all else ", ".join(sorted(account.cameras)) or "none",
                _state(account),
                clock_time(account.created_at_us),
            )
            for account in found
        ],
    )
    if not found:
        print_line("Nobody may sign in yet; the first `noctule serve` makes `admin`.")


@app.command("password")
def password(
    name: NameArgument,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Give an account a one-time password; its sessions end, its tokens are void.

    Example: noctule user password ada
    """
    with desk(config, operator, create=True) as office:
        given, hashed = _one_time()
        book.set_password(
            office.database,
            name,
            password_hash=hashed,
            must_change=True,
            by=office.by,
            now_us=office.now_us,
        )
    _tell_password(name, given, as_json=as_json)


@app.command("role")
def change_role(
    name: NameArgument,
    role: Annotated[Role, typer.Argument(help="What it may do from now on.")],
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Change what an account may do. Example: noctule user role ada admin"""
    with desk(config, operator, create=True) as office:
        book.set_role(office.database, name, role, by=office.by, now_us=office.now_us)
    print_line(f"{name} is {role.value} now.")


@app.command("cameras")
def change_cameras(
    name: NameArgument,
    camera: Annotated[
        list[str] | None, typer.Argument(help="Cameras that it may see from now on.")
    ] = None,
    see_all: Annotated[bool, typer.Option("--all", help="All, also later ones.")] = False,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Change which cameras an account may see. Example: noctule user cameras ada gate-1 plaza"""
    if see_all == bool(camera):
        raise UsageInvalid("expected names of cameras, or --all")
    with desk(config, operator, create=True) as office:
        seen = None if see_all else _known(office, camera)
        book.set_cameras(office.database, name, seen, by=office.by, now_us=office.now_us)
    print_line(f"{name} sees {'all cameras' if see_all else ', '.join(camera or [])} now.")


@app.command("disable")
def disable(
    name: NameArgument,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Nobody may sign in with this account any more. Example: noctule user disable ada"""
    with desk(config, operator, create=True) as office:
        book.set_active(office.database, name, False, by=office.by, now_us=office.now_us)
    print_line(f"{name} may not sign in any more; `noctule user enable {name}` lets them again.")


@app.command("enable")
def enable(
    name: NameArgument,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """An account that was disabled may sign in again. Example: noctule user enable ada"""
    with desk(config, operator, create=True) as office:
        book.set_active(office.database, name, True, by=office.by, now_us=office.now_us)
    print_line(f"{name} may sign in again.")


@token_app.command("make")
def make(
    name: NameArgument,
    program: Annotated[str, typer.Option("--name", help="What the token is for.")],
    role: RoleOption = Role.VIEWER,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=3650, help="Default: it does not end.")
    ] = None,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Make a token, printed this once: it may do what the account may, or less.

    Example: noctule user token make ada --name prometheus --days 365
    """
    from pipeline.api.routes.users import TOKEN_PREFIX
    from pipeline.api.visitors import hash_token

    try:
        plain_name(program)
    except ValueError as error:
        raise UsageInvalid(f"--{error}") from error
    with desk(config, operator, create=True) as office:
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        made = make_token(
            office.database,
            book.find_account(office.database, name),
            hash_token(secret),
            name=program,
            role=role,
            expires_at_us=None if days is None else office.now_us + days * _DAY_US,
            by=office.by,
            now_us=office.now_us,
        )
    if as_json:
        print_json({"token": made.id, "secret": secret})
        return
    print_line(secret)


@token_app.command("list")
def show_tokens(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """All tokens, newest first. Example: noctule user token list"""
    with desk(config, None, create=True) as office:
        found = tokens(office.database)
    if as_json:
        print_json([_token_json(token) for token in found])
        return
    print_table(
        ("token", "account", "for", "role", "state", "last used (UTC)"),
        [
            (
                str(token.id),
                token.account,
                token.name,
                token.role.value,
                "void" if token.revoked_at_us is not None else "holds",
                "never" if token.used_at_us is None else clock_time(token.used_at_us),
            )
            for token in found
        ],
    )


@token_app.command("revoke")
def revoke(
    token: Annotated[int, typer.Argument(min=1, help="Number of the token.")],
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take a token back. Example: noctule user token revoke 3"""
    with desk(config, operator, create=True) as office:
        revoke_token(office.database, token, by=office.by, now_us=office.now_us)
    print_line(f"Token {token} is void.")


def _one_time() -> tuple[str, str]:
    """A new password, and what the database keeps of it."""
    from pipeline.api.passwords import Passwords, one_time_password

    given = one_time_password()
    return given, Passwords().hash(given)


def _tell_password(name: str, given: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "one_time_password": given})
        return
    print_line(f"{name} signs in once with {given} and then chooses another password.")


def _known(office: Desk, names: list[str] | None) -> list[CameraId] | None:
    if not names:
        return None
    there = {camera.id for camera in cameras(office.database)}
    there |= {CameraId(camera.name) for camera in office.site.cameras}
    for name in names:
        if name not in there:
            raise UsageInvalid(
                f"no camera is called {name!r}; there are {', '.join(sorted(there)) or 'none'}"
            )
    return [CameraId(name) for name in names]


def _state(account: book.Account) -> str:
    if not account.is_active:
        return "disabled"
    return "one-time password" if account.must_change else "active"


def _to_json(account: book.Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role.value,
        "cameras": None if account.sees_all else sorted(account.cameras),
        "is_active": account.is_active,
        "must_change": account.must_change,
        "created_at_us": account.created_at_us,
    }


def _token_json(token: Token) -> dict[str, object]:
    return {
        "token": token.id,
        "account": token.account,
        "name": token.name,
        "role": token.role.value,
        "created_at_us": token.created_at_us,
        "expires_at_us": token.expires_at_us,
        "used_at_us": token.used_at_us,
        "revoked_at_us": token.revoked_at_us,
    }
