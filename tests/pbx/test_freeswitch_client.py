"""The event-socket client against a fake switch on a real TCP port that stalls, cuts, splits, reorders and lies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from pbx.freeswitch.client import EslClient, EslOptions
from pbx.freeswitch.codec import Event
from pbx.terms import ChannelGone, CommandRefused, SwitchUnreachable
from tests.support.fake_esl import PASSWORD, FakeEsl, Received, api_response, command_reply, healthy, json_event

FAST = EslOptions(connect_s=2.0, reply_s=2.0, ping_s=5.0, backoff_first_s=0.01, backoff_max_s=0.05)
EVENTS = ("CHANNEL_PARK", "BACKGROUND_JOB", "CHANNEL_EXECUTE_COMPLETE", "sofia::register")


class Listener:
    """What the client told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.downs: list[str] = []
        self.ups = 0
        self.on_up: Callable[[], None] = lambda: None
        self._news = asyncio.Event()

    def event(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def up(self) -> None:
        self.ups += 1
        self._news.set()
        self.on_up()

    def down(self, reason: str) -> None:
        self.downs.append(reason)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def connected(
    fake: FakeEsl, options: EslOptions = FAST, password: str = PASSWORD
) -> AsyncIterator[tuple[EslClient, Listener]]:
    heard = Listener()
    client = EslClient(
        "127.0.0.1",
        fake.port,
        password,
        events=EVENTS,
        on_event=heard.event,
        on_up=heard.up,
        on_down=heard.down,
        options=options,
    )
    async with client:
        if password == PASSWORD and not fake.refusing:
            await heard.until(lambda: heard.ups == 1)
        yield client, heard


def echo(received: Received) -> bytes | None:
    """`api echo x` is answered with x."""
    if received.line.startswith("api echo "):
        return api_response(received.line.removeprefix("api echo "))
    return healthy(received)


async def test_it_authenticates_and_subscribes() -> None:
    async with FakeEsl() as fake, connected(fake) as (client, _):
        assert client.connected
        assert fake.received[0].line == f"auth {PASSWORD}"
        assert (
            fake.received[1].line
            == "event json CHANNEL_PARK BACKGROUND_JOB CHANNEL_EXECUTE_COMPLETE CUSTOM sofia::register"
        )


async def test_a_wrong_password_is_no_connection() -> None:
    async with FakeEsl() as fake, connected(fake, password="otra") as (client, heard):
        await fake.command("auth", 2)
        assert not client.connected
        assert heard.ups == 0
        with pytest.raises(SwitchUnreachable):
            await client.api("status")
        assert not fake.commands("api")


async def test_replies_find_their_commands() -> None:
    async with FakeEsl(echo) as fake, connected(fake) as (client, _):
        replies = await asyncio.gather(*(client.api(f"echo {number}") for number in range(200)))
        assert replies == [str(number) for number in range(200)]


@pytest.mark.parametrize("chunk", [1, 7])
async def test_replies_and_events_in_pieces(chunk: int) -> None:
    async with FakeEsl(echo) as fake:
        fake.chunk = chunk
        async with connected(fake) as (client, heard):
            fake.send(json_event("CHANNEL_PARK", {"Unique-ID": "u-1", "Name": "ñandú"}))
            assert await client.api("echo 1") == "1"
            await heard.until(lambda: len(heard.events) == 1)
            assert heard.events[0].get("Name") == "ñandú"


async def test_a_cancelled_wait_poisons_nothing() -> None:
    async with FakeEsl(echo) as fake, connected(fake) as (client, _):
        waiting = [asyncio.create_task(client.api(f"echo {number}")) for number in range(60)]
        await asyncio.sleep(0)
        for task in waiting[::3]:
            task.cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        for number, result in enumerate(results):
            if number % 3 == 0:
                assert isinstance(result, asyncio.CancelledError)
            else:
                assert result == str(number)
        assert await client.api("echo later") == "later"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (api_response("-ERR No such channel!\n"), ChannelGone),
        (api_response("-ERR Cannot locate session!\n"), ChannelGone),
        (api_response("-USAGE: <uuid>\n"), CommandRefused),
        (api_response("-ERR Cannot record session!\n"), CommandRefused),
    ],
)
async def test_a_refusal_is_an_error(reply: bytes, error: type[Exception]) -> None:
    async with FakeEsl(lambda _: reply) as fake, connected(fake) as (client, _):
        with pytest.raises(error):
            await client.api("uuid_kill u-1")


async def test_a_refused_sendmsg_is_an_error() -> None:
    gone = command_reply("-ERR invalid session id [u-1]")
    async with FakeEsl(lambda _: gone) as fake, connected(fake) as (client, _):
        with pytest.raises(ChannelGone):
            await client.execute("u-1", "playback", "x.wav")


async def test_a_command_under_a_cut_is_unreachable_and_never_sent_again() -> None:
    def silent(received: Received) -> bytes | None:
        return None if "originate" in received.line else healthy(received)

    async with FakeEsl(silent) as fake, connected(fake) as (client, heard):
        lost = [asyncio.create_task(client.api(f"originate {number}")) for number in range(3)]
        await fake.command("api originate", 3)
        fake.cut()
        for result in await asyncio.gather(*lost, return_exceptions=True):
            assert isinstance(result, SwitchUnreachable)
        await heard.until(lambda: heard.ups == 2)
        assert await client.api("status")
        assert len(fake.commands("api originate")) == 3
        assert len(fake.commands("event json")) == 2
        assert len(heard.downs) == 1


async def test_jobs_and_executions_under_a_cut_are_unreachable() -> None:
    async with FakeEsl() as fake, connected(fake) as (client, heard):
        job = await client.bgapi("originate x")
        execution = await client.execute("u-1", "playback", "x")
        fake.cut()
        for future in (job, execution):
            with pytest.raises(SwitchUnreachable):
                await future
        await heard.until(lambda: heard.ups == 2)


async def test_commands_while_away_are_unreachable_at_once() -> None:
    async with FakeEsl() as fake, connected(fake) as (client, heard):
        fake.refusing = True
        fake.cut()
        await heard.until(lambda: len(heard.downs) == 1)
        with pytest.raises(SwitchUnreachable):
            await client.api("status")
        fake.refusing = False
        await heard.until(lambda: heard.ups == 2)
        assert client.connected


async def test_a_switch_that_stalls_is_given_up() -> None:
    """Nothing is answered, though the connection stands: TCP alone would not notice."""
    async with FakeEsl() as fake, connected(fake, replace(FAST, reply_s=0.2)) as (client, heard):
        fake.stalled = True
        with pytest.raises(SwitchUnreachable):
            await client.api("status")
        fake.stalled = False
        await heard.until(lambda: heard.ups == 2)


async def test_an_idle_switch_is_asked_whether_it_lives() -> None:
    options = replace(FAST, ping_s=0.05, reply_s=0.2)
    async with FakeEsl() as fake, connected(fake, options) as (_, heard):
        await fake.command("api strepoch", 3)
        assert heard.ups == 1
        fake.stalled = True
        await heard.until(lambda: len(heard.downs) == 1)
        assert "no more" in heard.downs[0]


async def test_a_job_that_overtakes_its_reply() -> None:
    def overtaken(received: Received) -> bytes | None:
        if received.line.startswith("bgapi"):
            job = json_event("BACKGROUND_JOB", {"Job-UUID": received.headers["Job-UUID"]}, body="+OK u-1\n")
            return job + command_reply("+OK Job-UUID")
        return healthy(received)

    async with FakeEsl(overtaken) as fake, connected(fake) as (client, _):
        assert await (await client.bgapi("originate x")) == "+OK u-1\n"


async def test_an_execution_that_overtakes_its_reply() -> None:
    def overtaken(received: Received) -> bytes | None:
        if received.line.startswith("sendmsg"):
            done = {"Application-UUID": received.headers["Event-UUID"], "Application-Response": "FILE PLAYED"}
            return json_event("CHANNEL_EXECUTE_COMPLETE", done) + command_reply()
        return healthy(received)

    async with FakeEsl(overtaken) as fake, connected(fake) as (client, heard):
        event = await (await client.execute("u-1", "playback", "x"))
        assert event.get("Application-Response") == "FILE PLAYED"
        assert [one.name for one in heard.events] == ["CHANNEL_EXECUTE_COMPLETE"]


async def test_events_that_overtook_each_other_are_put_in_order() -> None:
    async with FakeEsl() as fake, connected(fake) as (_, heard):
        fake.send_reordered([json_event("CHANNEL_PARK", {"Event-Sequence": str(9 + n)}) for n in range(20)])
        await heard.until(lambda: len(heard.events) == 20)
        assert [event.sequence for event in heard.events] == list(range(9, 29))


async def test_rubbish_between_messages_is_skipped() -> None:
    async with FakeEsl(echo) as fake, connected(fake) as (client, heard):
        fake.send(
            b"Content-Length: 5\nContent-Type: text/event-json\n\n{{{{{",
            b"no head at all\n\n",
            json_event("CHANNEL_PARK"),
        )
        await heard.until(lambda: len(heard.events) == 1)
        assert await client.api("echo 1") == "1"
        assert client.bad_messages == 2
        assert heard.ups == 1


async def test_a_listener_that_stumbles_does_not_end_the_reader(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeEsl(echo) as fake, connected(fake) as (client, heard):

        def stumble(_: Event) -> None:
            raise ZeroDivisionError

        client._on_event = stumble
        fake.send(json_event("CHANNEL_PARK"))
        assert await client.api("echo 1") == "1"
        assert heard.ups == 1
        assert "could not be handled" in caplog.text


async def test_a_reply_that_nobody_asked_for_is_dropped() -> None:
    async with FakeEsl(echo) as fake, connected(fake) as (client, heard):
        fake.send(command_reply("+OK surprise"), json_event("CHANNEL_PARK"))
        await heard.until(lambda: len(heard.events) == 1)
        assert await client.api("echo 1") == "1"


@pytest.mark.parametrize(
    "bye",
    [
        b"Content-Type: text/disconnect-notice\nContent-Length: 14\n\nDisconnected.\n",
        b"Content-Type: text/rude-rejection\nContent-Length: 14\n\nAccess Denied\n",
    ],
)
async def test_a_good_bye_is_followed_by_a_new_connection(bye: bytes) -> None:
    async with FakeEsl() as fake, connected(fake) as (_, heard):
        fake.send(bye)
        await heard.until(lambda: heard.ups == 2)
        assert len(heard.downs) == 1


async def test_memory_is_bounded() -> None:
    def silent(received: Received) -> bytes | None:
        return None if received.line.startswith("api") else healthy(received)

    options = replace(FAST, max_in_flight=10, max_expected=5)
    async with FakeEsl(silent) as fake, connected(fake, options) as (client, _):
        jobs = [await client.bgapi(f"x {number}") for number in range(9)]
        assert [job.cancelled() for job in jobs] == [True] * 4 + [False] * 5
        waiting = [asyncio.create_task(client.api("status")) for _ in range(10)]
        await fake.command("api status", 10)
        with pytest.raises(SwitchUnreachable):
            await client.api("status")
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_an_empty_line_keeps_the_listener_awake_when_asked_for() -> None:
    async with FakeEsl(echo) as fake, connected(fake, replace(FAST, keep_awake_s=0.005)) as (client, _):
        await fake.until(lambda: fake.wakes > 20)
        assert await client.api("echo 1") == "1"
    async with FakeEsl(echo) as fake, connected(fake) as (client, _):
        assert await client.api("echo 1") == "1"
        assert fake.wakes == 0


async def test_reconciliation_that_fails_is_tried_again() -> None:
    async with FakeEsl() as fake, connected(fake) as (_, heard):

        def fail_once() -> None:
            heard.on_up = lambda: None
            raise CommandRefused("not now")

        heard.on_up = fail_once
        fake.cut()
        await heard.until(lambda: heard.ups == 3)


async def test_injection_is_refused_before_anything_is_sent() -> None:
    async with FakeEsl(echo) as fake, connected(fake) as (client, _):
        with pytest.raises(CommandRefused):
            await client.api("echo a\n\napi fsctl shutdown")
        with pytest.raises(CommandRefused):
            await client.execute("u-1", "playback", "a\nexecute-app-name: system")
        assert await client.api("echo 1") == "1"
        assert [received.line for received in fake.received[2:]] == ["api echo 1"]
        assert client._executions == {}


async def test_leaving_ends_the_connection_and_its_task() -> None:
    async with FakeEsl() as fake:
        async with connected(fake) as (client, _):
            runner = client.runner
        assert runner is not None
        assert runner.done()
        assert not client.connected
