"""Eight threads share a queue of work and a queue of results; prints a checksum that depends on every item once."""

import hashlib
import queue
import sys
import threading

ITEMS = int(sys.argv[1])
THREADS = 8


def compute(item):
    digest = b"%d" % item
    for _ in range(60):
        digest = hashlib.sha256(digest).digest()
    return int.from_bytes(digest[:8], "little")


def work(tasks, results):
    while True:
        item = tasks.get()
        if item is None:
            return
        results.put((item, compute(item)))


def main():
    tasks, results = queue.Queue(50), queue.Queue()
    threads = [threading.Thread(target=work, args=(tasks, results), name=f"worker-{i}") for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for item in range(ITEMS):
        tasks.put(item)
    for _ in threads:
        tasks.put(None)
    for thread in threads:
        thread.join()
    seen, total = set(), 0
    while not results.empty():
        item, value = results.get()
        assert item not in seen
        seen.add(item)
        total = (total + value * (item + 1)) % 2**64
    assert len(seen) == ITEMS
    print(f"items {len(seen)} checksum {total:016x}")


main()
