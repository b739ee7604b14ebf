"""The master is killed, frozen or demoted under load, and the Sentinels elect another: nobody is refused, the queue is
used again within two seconds by itself, a worker follows, and nothing is lost or made twice."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.load import Load, Try
from tests.invariants import assert_all_kept, assert_mails_arrived, wait_until_settled
from tests.sentinels import Sentinels
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_shared.queue.request_queue import COMPLETED_KEY, QUEUE_NAME

BACK_WITHIN = 2.0
# A look at the Sentinels one by one, the old master's time-out, and what the machine adds.
SLOWEST = 2.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[Sentinels]:
    servers = Sentinels(tmp_path / "sentinels")
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


@pytest.fixture
def stack(stack: Stack, sentinels: Sentinels) -> Stack:
    stack.environ |= {"REDIS_URL": sentinels.url, "WORKER_RATE_LIMIT": "0", "API_RATE_LIMIT": "0"}
    stack.start_api(processes=2)
    return stack


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_a_master_that_is_gone(
    stack: Stack, sentinels: Sentinels, measured: Callable[[str, float], None], number: signal.Signals
) -> None:
    stack.start_worker()
    with Load([stack.api_url], stack.log_in()) as load:
        wait_until(lambda: _queued(load, 0), what="a first 202")
        time.sleep(1)
        gone = time.monotonic()
        sentinels.master.signal(number)
        elected = sentinels.wait_for_promotion()
        time.sleep(BACK_WITHIN + 1)
        if number is signal.SIGSTOP:  # it comes back, believes itself the master, and is told otherwise
            sentinels.master.signal(signal.SIGCONT)
            wait_until(lambda: sentinels.master.role == "slave", 20, what="the old master follows the new one")
            time.sleep(1)

    assert [str(seen) for seen in load.tries if not seen.accepted] == []
    fell_back = [seen for seen in load.tries if seen.body.get("fallback")]
    assert fell_back, "nothing was under way: this test shows nothing"
    back = max(seen.at for seen in fell_back) - elected
    how = signal.Signals(number).name
    measured(f"master lost ({how}): elected after (s)", elected - gone)
    measured(f"master lost ({how}): last create that was not queued, after the election (s)", back)
    measured(f"master lost ({how}): first 202 after the election (s)", _queued(load, elected)[0].at - elected)
    measured(f"master lost ({how}): slowest create (s)", max(seen.took for seen in load.tries))
    assert back < BACK_WITHIN
    assert max(seen.took for seen in load.tries) < SLOWEST
    assert _finished(sentinels) > 0, "a worker takes jobs from the new master"
    url = stack.environ["DATABASE_URL"]
    wait_until_settled(url, 30)
    assert_all_kept(url, load.accepted)
    assert_mails_arrived(url, stack.mail_folder)


@pytest.mark.long
def test_what_the_new_master_never_had(stack: Stack, sentinels: Sentinels) -> None:
    """Replication is not waited for: who was told 202 lately may stand on the old master alone."""
    with Load([stack.api_url], stack.log_in()) as load:
        wait_until(lambda: _queued(load, 0), what="a first 202")
        sentinels.replica.signal(signal.SIGSTOP)
        with sentinels.master.client() as client:
            client.client_kill_filter(_type="replica")
        time.sleep(0.3)
        sentinels.master.kill()
        sentinels.replica.signal(signal.SIGCONT)
        sentinels.wait_for_promotion()
        time.sleep(BACK_WITHIN)

    with sentinels.replica.client() as client:
        client.select(3)
        waiting = client.llen(f"rq:queue:{QUEUE_NAME}")
    assert 0 < waiting < len(_queued(load, 0)), "nothing was lost: this test shows nothing"
    assert [str(seen) for seen in load.tries if not seen.accepted] == []
    stack.start_worker()
    url = stack.environ["DATABASE_URL"]
    wait_until_settled(url, 30)
    assert_all_kept(url, load.accepted)


@pytest.mark.long
def test_a_planned_failover(stack: Stack, sentinels: Sentinels, measured: Callable[[str, float], None]) -> None:
    """The master is demoted and lives on: what still talks to it would be refused for ever."""
    stack.start_worker()
    with Load([stack.api_url], stack.log_in()) as load:
        wait_until(lambda: _queued(load, 0), what="a first 202")
        with sentinels.sentinels[0].client() as client:
            client.execute_command("SENTINEL", "FAILOVER", "tripwire")
        elected = sentinels.wait_for_promotion()
        wait_until(lambda: sentinels.master.role == "slave", 20, what="the old master follows the new one")
        time.sleep(BACK_WITHIN)
        before, settled = _finished(sentinels), time.monotonic()
        time.sleep(1)

    assert [str(seen) for seen in load.tries if not seen.accepted] == []
    assert [str(seen) for seen in load.tries if seen.body.get("fallback") and seen.at > settled] == []
    assert _finished(sentinels) > before
    url = stack.environ["DATABASE_URL"]
    wait_until_settled(url, 30)
    assert_all_kept(url, load.accepted)
    measured("planned fail-over: creates that were not queued", len([t for t in load.tries if t.body.get("fallback")]))
    measured("planned fail-over: until the first 202 (s)", _queued(load, elected)[0].at - elected)


def _queued(load: Load, moment: float) -> list[Try]:
    """Answered 202 from the queue, begun after `moment`, the first one first."""
    found = [seen for seen in load.tries if seen.status == 202 and not seen.body.get("fallback") and seen.at >= moment]
    return sorted(found, key=lambda seen: seen.at)


def _finished(sentinels: Sentinels) -> int:
    """How many jobs the new master was told of as done."""
    with sentinels.replica.client() as client:
        client.select(3)
        return int(client.get(COMPLETED_KEY) or 0)
