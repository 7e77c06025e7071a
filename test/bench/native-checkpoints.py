"""gdb's own `checkpoint` and `restart`, each timed around the command; read by `gdb -x` on test/bench/pages.c.

What fails is said in `problems`; the others go on.
"""

import json
import os
import time

import gdb

rounds = int(os.environ["BENCH_ROUNDS"])
result = {"checkpoint": [], "restart": [], "problems": []}


def timed(command, into):
    start = time.perf_counter()
    try:
        said = gdb.execute(command, to_string=True)
    except gdb.error as error:
        result["problems"].append("%s: %s" % (command, error))
        return None
    into.append((time.perf_counter() - start) * 1000)
    return said


try:
    for line in ("set confirm off", "set pagination off", "set style enabled off", "break at_stop", "run"):
        gdb.execute(line, to_string=True)
    for _ in range(rounds):
        gdb.execute("continue", to_string=True)
        timed("checkpoint", result["checkpoint"])
    # Each checkpoint is good for one restart in gdb: what runs on is the checkpoint itself.
    for number in range(1, rounds + 1):
        gdb.execute("continue", to_string=True)
        timed("restart %d" % number, result["restart"])
except gdb.error as error:
    result["problems"].append(str(error))

with open(os.environ["BENCH_RESULT"], "w") as file:
    json.dump(result, file)
try:
    gdb.execute("kill", to_string=True)
    gdb.execute("delete checkpoint all", to_string=True)
except gdb.error:
    pass
