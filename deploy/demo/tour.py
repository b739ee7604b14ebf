"""The tour: five things that the system promises, done for real, and what was seen of them."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from deploy.demo.sales import MODE, USERS, Answer, Sales
from deploy.demo.show import Show
from deploy.demo.stack import DemoStack
from deploy.demo.telegram import Message
from tripwire_shared.timings import DEMO_ALERT_LIMIT, DEMO_BACK_LIMIT, DEMO_PROVISION_LIMIT

T = TypeVar("T")
ANNA = ("anna@example.com", "Anna K.")


class Tour:
    def __init__(self, stack: DemoStack, show: Show) -> None:
        self._stack, self._show = stack, show
        self._sales = Sales(stack)
        self._taken = 0

    def walk(self) -> None:
        """All steps, also after one that differed."""
        self.create()
        self.create_again()
        self.lose_redis()
        self.find_redis()
        self.switch()
        self.count()

    def create(self) -> None:
        self._show.step("A customer is created: the request goes through the queue")
        answer = self._create(*ANNA)
        self._saw(answer, 202, status="accepted", mode="async")
        began = time.monotonic()
        request = self._until(
            lambda: _finished(self._sales.request(str(answer.body.get("request_id")))), DEMO_PROVISION_LIMIT
        )
        status = request["status"] if request else "not provisioned"
        took = time.monotonic() - began
        self._show.see(
            f"the worker made the customer: {status}, {_ms(took)} later",
            expected=status == "provisioned",
            instead_of="provisioned",
        )
        mail = self._until(lambda: self._sales.mail_to(ANNA[0]), DEMO_PROVISION_LIMIT)
        if (
            self._show.see("the welcome mail is written" if mail else "no welcome mail", expected=mail is not None)
            and mail
        ):
            text = mail.get_body(("plain",))
            self._show.quote([f"To: {mail['To']}", f"Subject: {mail['Subject']}", ""])
            self._show.quote(text.get_content().strip().splitlines() if text else [])

    def create_again(self) -> None:
        self._show.step("The same customer again: nobody is created or charged twice")
        answer = self._create(*ANNA)
        self._show.see(
            f"{answer.code} {answer.body.get('title', '')}: {answer.body.get('detail', '')}",
            expected=answer.code == 409,
            instead_of="409",
        )

    def lose_redis(self) -> None:
        self._show.step("Redis is stopped: no outage, the API creates customers itself")
        self._show.do("stop Redis")
        self._stack.valkey.stop()
        failed_at = time.monotonic()
        answer = self._create("boris@example.com", "Boris T.")
        self._saw(answer, 201, status="provisioned", fallback=True)
        self._alert("CRITICAL", failed_at)

    def find_redis(self) -> None:
        self._show.step("Redis is back: so is the queue, by itself")
        self._show.do("start Redis")
        self._stack.valkey.start()
        back_at = time.monotonic()
        self._show.do(f'POST {USERS}  {{"email": "clara1@example.com", "full_name": "Clara M."}}, and so on until 202')
        names = (("clara" + str(number) + "@example.com", "Clara M.") for number in range(1, 1000))
        answer = self._until(lambda: self._queued(names), DEMO_BACK_LIMIT)
        after = f"{time.monotonic() - back_at:.1f} s after Redis' return"
        self._show.see(
            f"202 {_brief(answer)}, {after}" if answer else "no 202 again",
            expected=answer is not None and answer.says(status="accepted", mode="async"),
            instead_of="202 within 2 s",
        )
        self._alert("RESOLVED", back_at)

    def switch(self) -> None:
        self._show.step("The kill switch is flipped: every API process obeys at once")
        self._show.do(f'POST {MODE}  {{"mode": "sync_direct", "reason": "the tour"}}')
        switched = self._sales.call("POST", MODE, {"mode": "sync_direct", "reason": "the tour"})
        flipped_at = time.monotonic()
        self._saw(switched, 200, mode="sync_direct", previous_mode="async_queue")
        obeying = self._until(lambda: self._obeying(switched), DEMO_BACK_LIMIT)
        self._show.see(
            f"{obeying or 'not all'} API processes obey, {_ms(time.monotonic() - flipped_at)} later",
            expected=obeying is not None,
        )
        self._saw(self._create("dana@example.com", "Dana S."), 201, status="provisioned", fallback=False)
        self._alert("SWITCH", flipped_at)

    def count(self) -> None:
        self._show.step("What is in the database now")
        counts = self._until(self._complete, DEMO_PROVISION_LIMIT) or self._sales.counts()
        self._show.see(
            f"{self._taken} creates were taken: " + ", ".join(f"{count} {what}" for what, count in counts.items()),
            expected=set(counts.values()) == {self._taken},
            instead_of=f"{self._taken} of each",
        )

    def _create(self, address: str, full_name: str) -> Answer:
        self._show.do(f'POST {USERS}  {{"email": "{address}", "full_name": "{full_name}"}}')
        return self._taking(self._sales.create(address, full_name))

    def _queued(self, names: Iterator[tuple[str, str]]) -> Answer | None:
        """Another customer; None while the API still creates them itself."""
        answer = self._taking(self._sales.create(*next(names)))
        return answer if answer.code == 202 else None

    def _taking(self, answer: Answer) -> Answer:
        self._taken += answer.code in (201, 202)
        return answer

    def _saw(self, answer: Answer, code: int, **body: object) -> None:
        self._show.see(
            f"{answer.code} {_brief(answer)}, in {_ms(answer.seconds)}",
            expected=answer.code == code and answer.says(**body),
            instead_of=f"{code} with {body}",
        )

    def _alert(self, type: str, since: float) -> None:
        alert: Message | None = self._stack.telegram.wait_for(type, DEMO_ALERT_LIMIT)
        if self._show.see(
            f"Telegram has the alert, {_ms(alert.at - since)} later" if alert else f"no {type} alert came",
            expected=alert is not None,
            instead_of=f"an alert of type {type}",
        ):
            self._show.quote(alert.text.splitlines() if alert else [])

    def _obeying(self, switched: Answer) -> int | None:
        """How many API processes there are, once all of them obey; None before."""
        processes = self._sales.call("GET", MODE).body["processes"]
        all_obey = all(process["version"] >= switched.body.get("version", 0) for process in processes)
        return len(processes) if processes and all_obey else None

    def _complete(self) -> dict[str, int] | None:
        counts = self._sales.counts()
        return counts if set(counts.values()) == {self._taken} else None

    def _until(self, found: Callable[[], T | None], limit: float) -> T | None:
        """What `found` gives, asked again and again for at most `limit` seconds."""
        deadline = time.monotonic() + limit
        while (value := found()) is None and time.monotonic() < deadline:
            self._stack.pause()
        return value


def _finished(request: dict[str, object]) -> dict[str, object] | None:
    return request if request.get("status") != "accepted" else None


def _brief(answer: Answer) -> str:
    """What the caller cares for, without the ids."""
    shown = ("status", "mode", "fallback", "previous_mode", "version")
    words = [f"{name} {str(answer.body[name]).lower()}" for name in shown if name in answer.body]
    return ", ".join(words) or str(answer.body.get("title", ""))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
