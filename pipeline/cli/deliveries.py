"""noctule deliver and deliveries: send what the outbox holds; what was sent, and what was not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.alerts.channels_config import channel_called
from pipeline.cli.asking import write_down
from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    OperatorOption,
    name_operator,
    read_config,
)
from pipeline.cli.output import clock_time, print_json, print_line, print_table
from pipeline.cli.process import start_logging, stopped_by_signals
from pipeline.errors import UsageInvalid
from storage.desk.alerts import alert_name
from storage.desk.deliveries import Delivery, deliveries, retry_dead
from storage.desk.pages import LONGEST_PAGE
from storage.desk.sending import channel_box
from storage.desk.types import DeliveryId, DeliveryState, Purpose
from streams.clock import SystemClock
from streams.moments import iso_time

if TYPE_CHECKING:
    from pipeline.alerts.delivery.testing import Tested

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What was sent to channels, and what was not. Example: noctule deliveries list "
    "--state dead",
)

ChannelArgument = Annotated[str, typer.Argument(help="Name of a channel in alerts.channels.")]
ChannelOption = Annotated[str | None, typer.Option("--channel", help="Only of this channel.")]
LimitOption = Annotated[
    int, typer.Option("--limit", min=1, max=LONGEST_PAGE, help="Rows shown, newest first.")
]


def deliver(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Send alerts to their channels until Ctrl-C; `noctule serve` does it by itself.

    Example: noctule deliver --config config.yaml
    """
    from pipeline.run.delivering import deliver as deliver_alerts

    site = read_config(config)
    start_logging(site.log_level, form=site.log_format)
    stop = threading.Event()
    with (
        stopped_by_signals(stop),
        open_site(site) as database,
    ):
        deliver_alerts(site, database, clock=SystemClock(), stop=stop)


@app.command("list")
def list_deliveries(
    state: Annotated[
        DeliveryState | None, typer.Option("--state", help="Only waiting, sent or dead.")
    ] = None,
    channel: ChannelOption = None,
    purpose: Annotated[Purpose | None, typer.Option("--purpose", help="Only these.")] = None,
    limit: LimitOption = 50,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """What was, is or was not to be sent. Example: noctule deliveries list --state dead"""
    with open_site(read_config(config)) as database:
        found = deliveries(
            database, state=state, channel=channel, purpose=purpose, limit=limit
        ).items
    if as_json:
        print_json([_to_json(delivery) for delivery in found])
        return
    columns = ("delivery", "queued (UTC)", "channel", "purpose", "alert", "state", "tries")
    print_table((*columns, "answer"), [_row(delivery) for delivery in found])
    if not found:
        print_line("Nothing was to be sent.")


@app.command("channels")
def list_channels(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """How each channel does. Example: noctule deliveries channels --json"""
    site = read_config(config)
    with open_site(site) as database:
        boxes = [(each.kind, channel_box(database, each.name)) for each in site.alerts.channels]
    if as_json:
        print_json(
            [
                {
                    "channel": box.channel,
                    "kind": kind,
                    "n_waiting": box.n_waiting,
                    "n_dead": box.n_dead,
                    "oldest_waiting": _iso(box.oldest_waiting_us),
                    "last_sent": _iso(box.last_sent_us),
                    "last_heartbeat": _iso(box.last_proof_us),
                    "last_answer": box.last_answer,
                }
                for kind, box in boxes
            ]
        )
        return
    print_table(
        ("channel", "kind", "waiting", "dead", "last sent (UTC)", "last heartbeat", "last answer"),
        [
            (
                box.channel,
                kind,
                str(box.n_waiting),
                str(box.n_dead),
                _clock(box.last_sent_us),
                _clock(box.last_proof_us),
                box.last_answer or "",
            )
            for kind, box in boxes
        ],
    )
    if not boxes:
        print_line("No channel is configured: alerts are in the inbox only.")


@app.command("retry")
def retry(
    number: Annotated[int | None, typer.Argument(help="One delivery; default: all dead.")] = None,
    channel: ChannelOption = None,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Try again what was given up. Example: noctule deliveries retry --channel mail --as ada"""
    with open_site(read_config(config)) as database:
        write_down(database, operator, "delivery retry", channel, delivery=number)
        n_again = retry_dead(
            database,
            delivery=None if number is None else DeliveryId(number),
            channel=channel,
            now_us=SystemClock().now_us(),
        )
    if as_json:
        print_json({"n_retried": n_again})
    elif number is not None and not n_again:
        raise UsageInvalid(f"delivery {number} is not dead; `noctule deliveries list` tells more")
    else:
        print_line(f"{n_again} deliveries are tried again.")


@app.command("test")
def try_channel(
    channel: ChannelArgument,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Send a test to a channel and say what came of it. Example: noctule deliveries test mail"""
    from pipeline.alerts.delivery.testing import send_test
    from pipeline.run.delivering import post_of

    site = read_config(config)
    chosen = channel_called(site.alerts.channels, channel)
    with open_site(site) as database:
        write_down(database, operator, "channel test", channel)
        post = post_of(site, database, clock=SystemClock())
        tested = send_test(post, chosen, made_by=name_operator(operator))
    _tell(tested, as_json=as_json)
    if not tested.is_delivered:
        raise typer.Exit(1)


def _tell(tested: Tested, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "channel": tested.channel,
                "delivery": tested.delivery,
                "is_delivered": tested.is_delivered,
                "answer": tested.answer,
                "took_s": round(tested.took_s, 3),
            }
        )
        return
    outcome = "delivered" if tested.is_delivered else "not delivered"
    print_line(f"{tested.channel}: {outcome} in {tested.took_s:.1f} s: {tested.answer}")


def _row(delivery: Delivery) -> list[str]:
    return [
        str(delivery.id),
        clock_time(delivery.created_at_us),
        delivery.channel,
        delivery.purpose.value,
        "" if delivery.alert is None else alert_name(delivery.alert),
        delivery.state.value,
        str(delivery.n_tries),
        delivery.answer or "",
    ]


def _to_json(delivery: Delivery) -> dict[str, object]:
    return {
        "delivery": delivery.id,
        "key": delivery.key,
        "channel": delivery.channel,
        "purpose": delivery.purpose.value,
        "alert": None if delivery.alert is None else alert_name(delivery.alert),
        "state": delivery.state.value,
        "n_tries": delivery.n_tries,
        "queued": iso_time(delivery.created_at_us),
        "next_try": iso_time(delivery.next_try_us),
        "sent": _iso(delivery.sent_at_us),
        "answer": delivery.answer,
    }


def _iso(time_us: int | None) -> str | None:
    return None if time_us is None else iso_time(time_us)


def _clock(time_us: int | None) -> str:
    return "never" if time_us is None else clock_time(time_us)
