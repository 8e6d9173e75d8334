"""Settings of the front desk. Imports nothing of the web: every command reads them."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from streams.config import Section


class FrontDeskConfig(Section):
    """Where pages and API are served, and for how long somebody stays logged in."""

    host: Annotated[
        str,
        Field(
            min_length=1,
            description="Address to listen on; 0.0.0.0 for all networks, then with TLS.",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="0 takes a free one.")] = 8420
    public_url: Annotated[
        str | None,
        Field(
            description="Address under which browsers reach it, such as https://noctule.example; "
            "requests that change something must come from pages of it. Null: from pages of the "
            "address that was asked, which then is no name but this machine's own."
        ),
    ] = None
    tls_certificate: Annotated[
        Path | None, Field(description="PEM file of the certificate and its chain; null: no TLS.")
    ] = None
    tls_key: Annotated[Path | None, Field(description="PEM file of its key.")] = None
    session_hours: Annotated[
        float, Field(gt=0, le=24 * 31, description="Hours after which everybody logs in again.")
    ] = 12.0
    idle_minutes: Annotated[
        float,
        Field(
            gt=0,
            le=60 * 24,
            description="Minutes without a question after which a session ends; a page with live "
            "pictures keeps it.",
        ),
    ] = 120.0
    trusted_proxies: Annotated[
        tuple[str, ...],
        Field(
            description="Addresses or networks of proxies whose X-Forwarded-For and "
            "X-Forwarded-Proto are believed, such as 10.0.0.0/24."
        ),
    ] = ()
    upload_mb: Annotated[
        float, Field(gt=0, le=100, description="Largest picture to search by, megabytes.")
    ] = 12.0
    streams: Annotated[
        int,
        Field(ge=1, le=2000, description="Live pictures and event streams open at once, at most."),
    ] = 200

    @field_validator("public_url", mode="after")
    @classmethod
    def _is_origin(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            raise ValueError(
                "public_url: expected scheme and host only, such as https://noctule.example"
            )
        return url.rstrip("/").lower()

    @field_validator("trusted_proxies", mode="after")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError as error:
                raise ValueError(
                    f"trusted_proxies: expected an address or a network such as 10.0.0.0/24, "
                    f"got {proxy!r}: {error}"
                ) from None
        return proxies

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key: expected both or neither")
        return self

    @property
    def has_tls(self) -> bool:
        """Whether it speaks TLS by itself."""
        return self.tls_certificate is not None
