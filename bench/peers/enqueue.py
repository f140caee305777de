"""Clients that queue in memory: how long one call takes: `enqueue.py posthog|segment COUNT`.

Both keep what they are given in a queue of the process, which ends with it; nothing is sent here.
"""

import importlib
import json
import statistics
import sys
import time

CALLS = {
    "posthog": lambda client, n: client.capture(
        "order placed", distinct_id=f"user-{n % 100}", properties=order(n)
    ),
    "segment": lambda client, n: client.track(f"user-{n % 100}", "Order Completed", order(n)),
}


def order(number: int) -> dict:
    lines = [{"sku": "SKU-1", "quantity": 1, "price": 19.9}, {"sku": "SKU-2", "quantity": 2}]
    return {"order_id": f"ORD-{number}", "value": 24.9, "currency": "USD", "products": lines}


def client(name: str, size: int) -> object:
    if name == "posthog":
        made = importlib.import_module("posthog").Posthog(
            "key", host="http://127.0.0.1:9", max_queue_size=size, sync_mode=False
        )
    else:
        made = importlib.import_module("segment.analytics").Client(
            "key", host="http://127.0.0.1:9", max_queue_size=size
        )
    for consumer in made.consumers:
        consumer.pause()
    return made


def main(name: str, count: int) -> None:
    made, call = client(name, count + 1_000), CALLS[name]
    taken = []
    for number in range(count):
        started = time.perf_counter()
        call(made, number)
        taken.append(time.perf_counter() - started)
    taken.sort()
    found = {"p50_us": statistics.median(taken) * 1e6, "p99_us": taken[int(count * 0.99)] * 1e6}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
