"""What the same gdb takes over ours, over gdbserver and natively; read by `gdb -x` on test/bench/steps.c and threads.c.

BENCH_CONNECT is the command that brings gdb to the first stop, BENCH_COUNTS how often each is done, BENCH_WHAT the part to
measure. The result is a JSON object, name -> number (rates per second, or milliseconds where the name ends in `_ms`).
"""

import json
import os
import time

import gdb

counts = json.loads(os.environ["BENCH_COUNTS"])
result = {}


def do(command):
    return gdb.execute(command, to_string=True)


def seconds(act):
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def rate(name, count, act):
    result[name] = count / seconds(lambda: [act() for _ in range(count)])


def run_to(function):
    do("tbreak " + function)
    do("continue")


def measure_steps():
    run_to("ready")
    do("finish")
    rate("stepi", counts["stepi"], lambda: do("stepi"))
    do("set var spin_on = 0")
    times = []
    do("break one_line")
    for _ in range(counts["next"]):
        do("continue")
        times.append(seconds(lambda: do("next")))
    do("delete")
    times.sort()
    result["next_ms"] = times[len(times) // 2] * 1000
    rate("calls", counts["calls"], lambda: gdb.parse_and_eval("add(1, 2)"))
    file = os.path.join(os.environ["BENCH_FOLDER"], "dump")
    taken = seconds(lambda: do("dump binary memory %s area area+%d" % (file, counts["dump"])))
    os.unlink(file)
    result["dump"] = counts["dump"] / (1 << 20) / taken


def measure_breakpoints():
    run_to("after_hits")
    do("break hit")
    rate("hits", counts["hits"], lambda: do("continue"))
    do("delete")
    run_to("after_hits")
    do("set var loops = %d" % counts["false"])
    do("break hit if i == -1")
    do("tbreak after_hits")
    result["false_hits"] = counts["false"] / seconds(lambda: do("continue"))


def measure_threads():
    run_to("at_stop")

    def look():
        do("maintenance flush register-cache")
        do("info threads")

    first = seconds(lambda: do("info threads"))
    times = sorted(seconds(look) for _ in range(counts["threads"]))
    result["threads_first_ms"] = first * 1000
    result["threads_ms"] = times[len(times) // 2] * 1000


for line in ("set confirm off", "set pagination off", "set style enabled off", "set sysroot /", "set print thread-events off"):
    do(line)
result["connect_ms"] = seconds(lambda: do(os.environ["BENCH_CONNECT"])) * 1000
if os.environ["BENCH_WHAT"] == "threads":
    measure_threads()
else:
    do("set var spin_on = 1")
    measure_steps()
    measure_breakpoints()
with open(os.environ["BENCH_RESULT"], "w") as out:
    json.dump(result, out)
do("kill")
