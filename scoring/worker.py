"""`python -m scoring.worker --name worker-1`: an RQ worker with a fresh name and an own heartbeat."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import threading
import time

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from quiz import clock, logs, memory, metrics
from quiz.extensions import Platform
from scoring import jobs

HEARTBEAT_SECONDS = 5.0
log = logs.get_logger("scoring.worker")


class PromptWorker(Worker):
    """Hands a stop on to the job that runs: RQ alone would wait for the minute that a drain may take."""

    # While Redis is away RQ asks less and less often, up to once a minute: entries would lie for as long.
    max_connection_wait_time = 2.0

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            self.kill_horse(signal.SIGTERM)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """In the work-horse: every line of the job carries its id and function, and its end is one line."""
        logs.context.set({"job_id": job.id, "function": job.func_name})
        began = time.monotonic()
        succeeded = super().perform_job(job, queue, execution)
        (log.info if succeeded else log.error)("job_ended", ok=succeeded, seconds=round(time.monotonic() - began, 3))
        return succeeded

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGTERM, lambda *_: jobs.stopping.set())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="worker")
    name = parser.parse_args().name
    os.environ["QUIZ80_PROCESS"] = name
    # Built before the forks: a work-horse starts warm. Nothing connects until a job asks, so no socket is shared.
    held: Platform = jobs.application().extensions["quiz80"]
    stop = threading.Event()
    threading.Thread(target=_beat, args=(held, name, stop), daemon=True).start()
    metrics.Beat([lambda: metrics.publish(held.cache, name)]).start()
    # RQ waits for minutes in one call. A connection with the limits of the others would break off every time, with
    # growing pauses in which no job is taken; and RQ would lift the limits of whatever it is given.
    waiting = Redis.from_url(held.settings.queue_redis_url, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))
    queues = [jobs.queue(waiting, queue) for queue in jobs.QUEUES]
    # RQ keeps the name of a killed worker for a while; a new name never has to wait for it.
    worker = PromptWorker(
        queues,
        name=f"{name}-{os.getpid()}-{secrets.token_hex(3)}",
        connection=waiting,
        serializer=JSONSerializer,
    )
    # No huge pages: a work-horse's first write to one would take it apart again.
    memory.freeze()
    worker.work(with_scheduler=False, logging_level="WARNING")
    stop.set()


def _beat(held: Platform, name: str, stop: threading.Event) -> None:
    while not stop.is_set():
        jobs.worker_alive(held.queue, name, clock.now())
        stop.wait(HEARTBEAT_SECONDS)


if __name__ == "__main__":
    main()
