"""Run by test_gateway in a process of its own, because gevent replaces locks and sockets for good."""

from gevent import monkey

monkey.patch_all()

import random  # noqa: E402
import sys  # noqa: E402

import gevent  # noqa: E402
from redis import Redis  # noqa: E402

from quiz.intake.gateway import Gateway, Script  # noqa: E402

ROUNDS, CALLERS = 200, 30
# Keeps Redis busy for some milliseconds a round: however quick it is, callers are still waiting when they are killed.
TURNS = 20_000


def main() -> None:
    gateway = Gateway(Redis.from_url(sys.argv[1]))
    echo = Script("start")
    echo.source = b"for _ = 1, tonumber(ARGV[2]) do end return {'echo', ARGV[1]}"
    gateway.call(echo, [], ["warm", 0])
    chance = random.Random(80)
    killed = answered = 0
    for _ in range(ROUNDS):
        callers = [gevent.spawn(gateway.call, echo, [], [str(number), TURNS]) for number in range(CALLERS)]
        # As many turns of the loop as it takes to be before, in and after the exchange.
        for _ in range(chance.randrange(6)):
            gevent.sleep(0)
        for caller in chance.sample(callers, 5):
            killed += not caller.ready()
            caller.kill(block=False)
        with gevent.Timeout(10):
            gevent.joinall(callers)
        answered += sum(caller.value == [b"echo", b"%d" % n] for n, caller in enumerate(callers))
        with gevent.Timeout(10):
            assert gateway.call(echo, [], ["still", 0]) == [b"echo", b"still"]
    assert killed > ROUNDS, killed
    assert answered > ROUNDS * CALLERS / 2, answered
    sys.stdout.write(f"killed {killed}, answered {answered}: open\n")


if __name__ == "__main__":
    main()
