"""One contract for the buses, then what only the one over Redis can suffer."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from foundation.bus import BadMessage, Bus, Lost, MemoryBus, Message, Subscription
from foundation.bus_redis import BusSettings, RedisBus
from foundation.clock import settle
from foundation.ids import new_id
from tests.support.ports import free_port
from tests.support.servers import RedisServer


@asynccontextmanager
async def running(bus: RedisBus) -> AsyncIterator[RedisBus]:
    task = asyncio.create_task(bus.run(), name="bus")
    try:
        yield bus
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def connected(server: RedisServer, prefix: str, *, outbox_size: int = 5000) -> AsyncIterator[RedisBus]:
    made = RedisBus(server.url, password=server.password, prefix=prefix, outbox_size=outbox_size)
    async with running(made) as bus, asyncio.timeout(30):
        await bus.wait_connected()
        yield bus


@pytest.fixture
def prefix() -> str:
    return f"t{new_id()}"


@pytest.fixture(params=["memory", "redis", "redis_between_processes"])
async def ends(request: pytest.FixtureRequest, prefix: str) -> AsyncIterator[tuple[Bus, Bus]]:
    """Where is published, where is heard."""
    if request.param == "memory":
        bus = MemoryBus()
        yield bus, bus
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    async with connected(server, prefix) as one:
        if request.param == "redis":
            yield one, one
        else:
            async with connected(server, prefix) as other:
                yield one, other


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that the test may kill."""
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


async def hear(subscription: Subscription, count: int) -> list[Message | Lost]:
    async with asyncio.timeout(20):
        return [await anext(subscription) for _ in range(count)]


async def hear_topic(subscription: Subscription, topic: str) -> list[Message | Lost]:
    """All up to the message with that topic."""
    heard: list[Message | Lost] = []
    async with asyncio.timeout(20):
        async for one in subscription:
            heard.append(one)
            if isinstance(one, Message) and one.topic == topic:
                break
    return heard


class TestContract:
    async def test_what_is_published_is_heard_in_order(self, ends: tuple[Bus, Bus]) -> None:
        here, there = ends
        async with there.subscribe("calls.**") as heard:
            for number in range(200):
                here.publish(f"calls.{number}", {"n": number, "name": "ñandú"})
            assert await hear(heard, 200) == [Message(f"calls.{n}", {"n": n, "name": "ñandú"}) for n in range(200)]

    async def test_all_who_listen_hear_it(self, ends: tuple[Bus, Bus]) -> None:
        here, there = ends
        async with there.subscribe("a.b") as one, there.subscribe("a.*") as two:
            here.publish("a.b", {})
            assert await hear(one, 1) == await hear(two, 1) == [Message("a.b", {})]

    @pytest.mark.parametrize(
        ("pattern", "fitting"),
        [
            ("a.b", {"a.b"}),
            ("a.*", {"a.b", "a.c"}),
            ("*.b", {"a.b"}),
            ("a.**", {"a", "a.b", "a.c", "a.b.c"}),
            ("a.*.c", {"a.b.c"}),
            ("**", {"a", "a.b", "a.c", "a.b.c", "ab.bc.c"}),
        ],
    )
    async def test_patterns(self, ends: tuple[Bus, Bus], pattern: str, fitting: set[str]) -> None:
        here, there = ends
        async with there.subscribe(pattern) as heard, there.subscribe("end") as end:
            for topic in ("a", "a.b", "a.c", "a.b.c", "ab.bc.c"):
                here.publish(topic, {})
            here.publish("end", {})
            await hear(end, 1)
            heard.close()
            assert {one.topic async for one in heard if isinstance(one, Message)} - {"end"} == fitting

    async def test_a_slow_subscriber_is_told_what_it_lost_and_holds_up_nobody(self, ends: tuple[Bus, Bus]) -> None:
        here, there = ends
        async with there.subscribe("n.*", queue_size=10) as slow, there.subscribe("n.*") as quick:
            for number in range(25):
                here.publish(f"n.{number}", {})
            assert len(await hear(quick, 25)) == 25
            assert await hear(slow, 11) == [Lost(15), *(Message(f"n.{n}", {}) for n in range(15, 25))]
            here.publish("n.25", {})
            assert await hear(slow, 1) == [Message("n.25", {})]

    async def test_the_body_is_json_and_nobodys_own(self, ends: tuple[Bus, Bus]) -> None:
        here, there = ends
        body = {"list": [1], "at": datetime(2026, 1, 1, tzinfo=UTC), "tuple": (1, 2)}
        async with there.subscribe("a") as heard:
            here.publish("a", body)
            body["list"] = "changed later"
            assert await hear(heard, 1) == [Message("a", {"list": [1], "at": "2026-01-01T00:00:00Z", "tuple": [1, 2]})]

    async def test_who_listens_hears_in_order_what_fits(self, ends: tuple[Bus, Bus]) -> None:
        here, there = ends
        told: list[Message | Lost] = []
        async with there.subscribe("end") as end:
            with there.listen("a.*", told.append):
                for number in range(50):
                    here.publish(f"a.{number}", {"n": number})
                here.publish("b.1", {})
                here.publish("end", {})
                await hear(end, 1)
            here.publish("a.late", {})
            here.publish("end", {})
            await hear(end, 1)
        assert told == [Message(f"a.{n}", {"n": n}) for n in range(50)]

    async def test_who_listens_where_it_is_published_hears_it_at_once(self, ends: tuple[Bus, Bus]) -> None:
        here, _ = ends
        told: list[Message | Lost] = []
        with here.listen("**", told.append):
            here.publish("a", {"tuple": (1, 2)})
            assert told == [Message("a", {"tuple": [1, 2]})]  # there was no turn of the loop

    async def test_a_listener_that_fails_is_the_only_one_to_notice(self, ends: tuple[Bus, Bus]) -> None:
        here, there = ends

        def fails(_heard: Message | Lost) -> None:
            raise RuntimeError("injected")

        async with there.subscribe("a") as other:
            with there.listen("a", fails) as listener:
                here.publish("a", {"n": 1})
                here.publish("a", {"n": 2})
                assert await hear(other, 2) == [Message("a", {"n": 1}), Message("a", {"n": 2})]
                with pytest.raises(RuntimeError, match="injected"):
                    await listener.over()

    async def test_mistakes_are_told_to_who_makes_them(self, ends: tuple[Bus, Bus]) -> None:
        here, _ = ends
        for topic, body in (("", {}), ("a..b", {}), ("a.*", {}), ("a b", {}), ("a", {"x": object()})):
            with pytest.raises(BadMessage):
                here.publish(topic, body)
        for pattern in ("", "a.**.b", "a*", "***"):
            with pytest.raises(BadMessage):
                here.subscribe(pattern)
            with pytest.raises(BadMessage):
                here.listen(pattern, print)

    async def test_nothing_is_heard_after_closing(self, ends: tuple[Bus, Bus]) -> None:
        here, there = ends
        async with there.subscribe("a") as heard, there.subscribe("a") as other:
            here.publish("a", {"n": 1})
            await hear(other, 1)
            heard.close()
            here.publish("a", {"n": 2})
            await hear(other, 1)
            assert [one async for one in heard] == [Message("a", {"n": 1})]

    async def test_closing_wakes_who_waits(self, ends: tuple[Bus, Bus]) -> None:
        _, there = ends
        subscription = there.subscribe("a")

        async def listen() -> list[Message | Lost]:
            return [one async for one in subscription]

        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            waiting = group.create_task(listen())
            group.create_task(asyncio.to_thread(lambda: None)).add_done_callback(lambda _: subscription.close())
        assert waiting.result() == []


class TestRedis:
    async def test_a_restart_in_mid_use(self, own_redis: RedisServer, prefix: str) -> None:
        """Local delivery goes on; what was published meanwhile arrives afterwards; listeners learn of the gap."""
        async with (
            connected(own_redis, prefix) as here,
            connected(own_redis, prefix) as there,
            here.subscribe("**") as local,
            there.subscribe("**") as remote,
        ):
            told: list[Message | Lost] = []
            there.listen("after", told.append)
            here.publish("before", {})
            assert await hear(remote, 1) == [Message("before", {})]
            await asyncio.to_thread(own_redis.kill)
            for number in range(50):
                here.publish(f"meanwhile.{number}", {})
            assert len(await hear(local, 51)) == 51  # Redis is away
            await asyncio.to_thread(own_redis.start)
            async with asyncio.timeout(30):
                await asyncio.gather(here.wait_sent(), here.wait_connected(), there.wait_connected())
            here.publish("after", {})
            heard = await hear_topic(remote, "after")
            assert Lost(None) in heard
            # Told of before anything that came after it; nothing twice, nothing out of order.
            assert heard[0] == Lost(None)
            assert told == [Lost(None), Message("after", {})]
            numbers = [int(one.topic[10:]) for one in heard if isinstance(one, Message) and "." in one.topic]
            assert numbers == sorted(set(numbers))
            assert Lost(None) in await hear_topic(local, "after")

    async def test_publishing_never_waits_and_the_outbox_has_an_end(self, own_redis: RedisServer, prefix: str) -> None:
        """With Redis stopped dead (not even closing its sockets), others learn how many they missed."""
        async with (
            connected(own_redis, prefix, outbox_size=20) as here,
            connected(own_redis, prefix) as there,
            there.subscribe("**") as remote,
        ):
            own_redis.send(signal.SIGSTOP)
            for number in range(100):
                here.publish(f"n.{number}", {})
            own_redis.send(signal.SIGCONT)
            here.publish("end", {})
            heard = await hear_topic(remote, "end")
        lost = sum(one.count or 0 for one in heard if isinstance(one, Lost))
        assert lost + sum(isinstance(one, Message) for one in heard) == 101
        assert lost >= 80
        assert isinstance(heard[0], Lost)

    async def test_it_begins_without_redis(self, own_redis: RedisServer, prefix: str) -> None:
        own_redis.kill()
        async with (
            running(RedisBus(own_redis.url, password=own_redis.password, prefix=prefix)) as bus,
            bus.subscribe("a") as heard,
        ):
            bus.publish("a", {})
            assert await hear(heard, 1) == [Message("a", {})]
            assert not bus.connected
            await asyncio.to_thread(own_redis.start)
            async with asyncio.timeout(30):
                await bus.wait_connected()
                await bus.wait_sent()

    async def test_a_stopping_process_sends_what_it_has(self, redis_server: RedisServer, prefix: str) -> None:
        async with connected(redis_server, prefix) as there, there.subscribe("last.*") as heard:
            async with connected(redis_server, prefix) as here:
                for number in range(100):
                    here.publish(f"last.{number}", {})
            assert len(await hear(heard, 100)) == 100

    async def test_it_ends_at_whatever_moment_it_is_cancelled(self, redis_server: RedisServer, prefix: str) -> None:
        """Found the hard way: before Python 3.12 a cancellation can be swallowed below redis-py."""
        for moment in range(60):
            bus = RedisBus(redis_server.url, password=redis_server.password, prefix=prefix)
            task = asyncio.create_task(bus.run(), name="bus")
            async with asyncio.timeout(10):
                if moment % 3:
                    await bus.wait_connected()
                bus.publish("a", {})
                await settle(moment % 40)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=10)
            assert done, f"moment {moment}"

    async def test_a_wrong_password_is_told_and_local_delivery_goes_on(
        self, redis_server: RedisServer, prefix: str
    ) -> None:
        with structlog.testing.capture_logs() as told:
            wrong = RedisBus(redis_server.url, password="wrong", prefix=prefix)
            async with running(wrong) as bus, bus.subscribe("a") as heard, asyncio.timeout(20):
                bus.publish("a", {})
                assert await hear(heard, 1) == [Message("a", {})]
                while not any(line["log_level"] == "error" for line in told):
                    await settle(1)
        assert not bus.connected

    async def test_stopping_does_not_hang_without_redis(self, prefix: str) -> None:
        async with asyncio.timeout(5):
            async with running(RedisBus(f"redis://127.0.0.1:{free_port()}/0", prefix=prefix)) as bus:
                bus.publish("a", {})

    async def test_platforms_on_one_redis_do_not_hear_each_other(self, redis_server: RedisServer, prefix: str) -> None:
        async with (
            connected(redis_server, prefix) as here,
            connected(redis_server, prefix + "x") as foreign,
            here.subscribe("**") as heard,
        ):
            foreign.publish("theirs", {})
            await foreign.wait_sent()
            here.publish("ours", {})
            assert await hear(heard, 1) == [Message("ours", {})]

    async def test_rubbish_on_the_channel_is_passed_over(self, redis_server: RedisServer, prefix: str) -> None:
        client = Redis.from_url(redis_server.url, password=redis_server.password)
        async with (
            connected(redis_server, prefix) as here,
            connected(redis_server, prefix) as there,
            there.subscribe("**") as heard,
        ):
            for rubbish in (b"", b"{}", b"\xff", b'["a",1,0,"t",3]', b'["a","b"]'):
                await client.publish(f"{prefix}:bus", rubbish)
            here.publish("good", {})
            assert await hear(heard, 1) == [Message("good", {})]
        await client.aclose()

    def test_settings_take_no_password_in_the_url(self) -> None:
        with pytest.raises(ValidationError, match="must not stand in the URL") as caught:
            BusSettings(url="redis://:s3cr3t@host/0")
        assert "s3cr3t" not in str(caught.value)
        with pytest.raises(ValidationError, match="expected a URL"):
            BusSettings(url="http://host")
