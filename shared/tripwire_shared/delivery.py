"""What a process that also delivers has beside its core: a deliverer for mails, and one for alerts."""

from contextlib import nullcontext
from dataclasses import dataclass

from tripwire_shared.alarm_clock import AlarmClock
from tripwire_shared.alerts.telegram import Telegram, alert_pause
from tripwire_shared.core import Core
from tripwire_shared.events.causes import ALERTS
from tripwire_shared.mail.mailer import build_mailer
from tripwire_shared.mail.welcome import MAIL_BATCH, MAIL_LEASES_AT_MOST, WelcomeMail
from tripwire_shared.outbox.deliverer import Deliverer, Route
from tripwire_shared.outbox.outbox import Channel, Message
from tripwire_shared.postgres.wakeups import WakeUp, Wakeups
from tripwire_shared.timings import ALERT_LEASE, MAIL_BATCH_TIME, TELEGRAM_TOTAL


@dataclass(frozen=True)
class Delivery:
    mails: Deliverer
    alerts: Deliverer

    def start(self) -> None:
        self.mails.start()
        self.alerts.start()

    def stop(self, timeout: float) -> None:
        """Waits for each up to `timeout` seconds."""
        self.mails.stop(timeout)
        self.alerts.stop(timeout)


def build_delivery(core: Core, telegram: Telegram, wakeups: Wakeups, *, mail_patience: float = 0.0) -> Delivery:
    """Nothing is started yet; `wakeups` will wake both. `mail_patience`: for so many seconds others' mails are left to
    others."""
    settings = core.settings
    mailer = build_mailer(settings.smtp_url, settings.mail_ehlo_name)
    welcome = WelcomeMail(core.invitations, mailer, core.health_log, settings.mail_from, core.academy)

    def telegram_failed(_: Message, reason: str) -> None:
        core.incidents.failed_soon(ALERTS, reason)

    mails = Route(
        Channel.MAIL, welcome.batch, welcome.pause, welcome.on_failed, welcome.on_given_up,
        at_most=MAIL_BATCH, begin_within=MAIL_BATCH_TIME, leases_at_most=MAIL_LEASES_AT_MOST,
    )  # fmt: skip
    alerts = Route(
        Channel.ALERT, lambda: nullcontext(telegram.deliver), alert_pause, telegram_failed, telegram_failed,
        at_most=1, begin_within=ALERT_LEASE - TELEGRAM_TOTAL,
    )  # fmt: skip
    delivery = Delivery(
        Deliverer(core.outbox, mails, core.own_mail, core.tracer, mail_patience),
        Deliverer(core.outbox, alerts, AlarmClock(), core.tracer),
    )
    wakeups.listen(WakeUp.MAILS, delivery.mails.told)
    wakeups.listen(WakeUp.ALERTS, delivery.alerts.told)
    return delivery
