"""Procrastinate: fetch a job and finish it, by ten at once: `procrastinate_jobs.py DSN SECONDS`.

This is the life of a job in its own terms, one statement each; jobs are without locks, which is
the fastest that it offers, and kept when done, as it does by default.
"""

import asyncio
import json
import sys
import time

import procrastinate
from procrastinate.jobs import Status

AT_ONCE = 10
JOBS = 30_000


async def main(dsn: str, seconds: float) -> None:
    connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=AT_ONCE, max_size=AT_ONCE)
    app = procrastinate.App(connector=connector)

    @app.task(name="send")
    async def send(order_id: str) -> None:
        """What a shop would do; the bench does not run it."""

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for start in range(0, JOBS, 1_000):
            orders = ({"order_id": f"ORD-{n}"} for n in range(start, start + 1_000))
            await send.batch_defer_async(*orders)
        worker_id = await app.job_manager.register_worker()
        until, done = time.perf_counter() + seconds, 0

        async def work() -> int:
            finished = 0
            while time.perf_counter() < until:
                job = await app.job_manager.fetch_job(queues=None, worker_id=worker_id)
                if job is None:
                    break
                await app.job_manager.finish_job(job, status=Status.SUCCEEDED, delete_job=False)
                finished += 1
            return finished

        started = time.perf_counter()
        done = sum(await asyncio.gather(*(work() for _ in range(AT_ONCE))))
        print(json.dumps({"per_s": done / (time.perf_counter() - started), "jobs": done}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
