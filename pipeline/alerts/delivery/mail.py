"""Mail over SMTP, with the picture attached; its Message-ID is the idempotency key."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from pipeline.alerts.channels_config import EmailConfig
from pipeline.alerts.delivery.message import Parcel, delivery_key
from pipeline.errors import SendFailed, SendRefused
from storage.desk.types import Purpose
from streams.moments import to_utc

_ENHANCED = re.compile(r"^[245]\.\d{1,3}\.\d{1,3}\b")


def to_mail(parcel: Parcel, config: EmailConfig) -> EmailMessage:
    """The mail, the same at every try but for the boundary between its parts.

    All mails of one alert are one thread.
    """
    domain = config.sender.rpartition("@")[2]
    mail = EmailMessage()
    mail["From"] = config.sender
    mail["To"] = ", ".join(config.to)
    mail["Subject"] = parcel.subject()
    mail["Date"] = format_datetime(to_utc(parcel.at_us))
    mail["Message-ID"] = f"<{parcel.key}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if parcel.alert is not None:
        thread = delivery_key("thread", parcel.message.site, parcel.alert)
        mail["References"] = f"<{thread}@{domain}>"
    if parcel.message.purpose is Purpose.ESCALATION:
        mail["Importance"] = "high"
    mail.set_content(parcel.text())
    if parcel.picture is not None:
        mail.add_attachment(parcel.picture, maintype="image", subtype="jpeg", filename="alert.jpg")
    return mail


class _Ending(smtplib.SMTP):
    """A connection that is cut when its time is over, however slowly the server goes on talking."""

    _timer: threading.Timer | None = None

    def connect(
        self, host: str = "localhost", port: int = 0, source_address: Any = None
    ) -> tuple[int, bytes]:
        self._timer = threading.Timer(self.timeout, self._cut)
        self._timer.daemon = True
        self._timer.start()
        return super().connect(host, port, source_address)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().close()

    def _cut(self) -> None:
        connection = self.sock
        if connection is not None:
            with suppress(OSError):  # not SSLSocket's: that would want to talk to the server
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _EndingTls(_Ending, smtplib.SMTP_SSL):
    """The same, encrypted from the start."""


class Mail:
    """Sends through one mail server, a connection for each mail."""

    def __init__(self, config: EmailConfig) -> None:
        self._config = config
        self._tls = ssl.create_default_context(cafile=config.ca_file)

    def send(self, parcel: Parcel, *, limit_s: float) -> str:
        """Hand it to the server; what it answered, in numbers.

        Raises:
            SendFailed: The server is away, refuses us, or not now.
            SendRefused: It will not take this mail for anybody.
        """
        mail = to_mail(parcel, self._config)
        try:
            server = self._connected(limit_s)
            try:
                refused = server.send_message(mail, self._config.sender, self._config.to)
            finally:
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()  # what was accepted stays so, whatever is said now
        except smtplib.SMTPRecipientsRefused as error:
            raise _all_refused(error.recipients) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error) from None
        except ssl.SSLCertVerificationError as error:
            raise SendFailed(
                f"the mail server's certificate is not trusted ({error.verify_message})"
            ) from None
        except smtplib.SMTPException as error:
            raise SendFailed(f"the mail server broke off ({type(error).__name__})") from None
        except OSError as error:
            raise SendFailed(
                f"the mail server cannot be reached ({type(error).__name__})"
            ) from None
        return self._accepted(refused)

    def greet(self, *, limit_s: float) -> None:
        """Nobody shows whether we are there."""

    def close(self) -> None:
        """Nothing stays open between two mails."""

    def _connected(self, limit_s: float) -> smtplib.SMTP:
        config = self._config
        server: smtplib.SMTP
        if config.security == "tls":
            server = _EndingTls(
                config.host,
                config.tcp_port,
                local_hostname=socket.gethostname(),
                timeout=limit_s,
                context=self._tls,
            )
        else:
            server = _Ending(
                config.host, config.tcp_port, local_hostname=socket.gethostname(), timeout=limit_s
            )
        try:
            if config.security == "starttls":
                server.starttls(context=self._tls)
            if config.user is not None and config.password is not None:
                server.login(config.user, config.password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server

    def _accepted(self, refused: dict[str, tuple[int, bytes]]) -> str:
        """Told to some counts, unless the others may be told later."""
        later = [code for code, _ in refused.values() if code < 500]
        if later:
            raise SendFailed(f"{len(later)} addresses are refused for now (SMTP {later[0]})")
        n_all = len(self._config.to)
        return f"accepted for {n_all - len(refused)} of {n_all} addresses"


def _all_refused(recipients: dict[str, tuple[int, bytes]]) -> SendFailed | SendRefused:
    codes = sorted(code for code, _ in recipients.values())
    words = f"no address is accepted (SMTP {codes[0]})"
    return SendFailed(words) if codes[0] < 500 else SendRefused(words)


def _refusal(error: smtplib.SMTPResponseException) -> SendFailed | SendRefused:
    """The server's numbers, not its words: those may repeat what we said."""
    said = error.smtp_error
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    found = _ENHANCED.match(text)
    code = f"SMTP {error.smtp_code}" + (f" {found[0]}" if found else "")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return SendFailed(f"the mail server refuses user or password ({code})")
    if isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500:
        return SendRefused(f"the mail server does not take this mail ({code})")
    return SendFailed(f"the mail server refuses us ({code})")
