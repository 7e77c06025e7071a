"""Checkpoints that the program leaves behind where it passes: at a breakpoint whose message has `{checkpoint}`, and where a catchpoint's
condition calls one of the functions at the end. Loaded by dap.py, whose names it finds in __main__.

Both are asked while gdb decides whether the program stops. Everything stands then, the server can be asked, and with the answer "no stop" gdb
goes on without a word over MI but one record. A take that is refused is a sentence in that record: the program goes on all the same.
"""

import __main__ as dap
import json
import linecache
import os
import re
import signal

import gdb

PLACEHOLDER = re.compile(r"\s*checkpoint\s*(?::(?!:)(.*))?$", re.S)  # `checkpoint::x` is C++
FARTHEST_CALLER = 16
LONGEST_LABEL = 200


def label_in(expression):
    """What a `{…}` of a message wants the checkpoint to be called; "": as its line. None: it is an expression."""
    match = PLACEHOLDER.match(expression)
    return None if match is None else (match.group(1) or "").strip()


def take_here(reason, label=""):
    """The end of the sentence "…", and what the adapter wants to know: the server's record, and where the program stood."""
    stop = {"reason": reason, "threadId": gdb.selected_thread().num, **place_of(gdb.newest_frame())}
    try:
        text = dap.monitor("take-json", " ".join((label or line_text(stop)).split())[:LONGEST_LABEL])
    except gdb.error as error:  # a server of another kind
        text = str(error)
    try:
        record = json.loads(text)["checkpoint"]
    except (ValueError, KeyError):
        return "no checkpoint (%s)" % text.strip(), {}
    return "checkpoint %d" % record["id"], {"checkpoint": record, "stop": stop}


def place_of(frame):
    """The nearest line whose source is there: what throws and what sends signals is in libraries mostly."""
    at = frame
    for _ in range(FARTHEST_CALLER):
        line = at.find_sal()
        if line.symtab is not None and line.line > 0 and os.path.exists(line.symtab.fullname()):
            return {"source": line.symtab.fullname(), "line": line.line, **named(at)}
        at = at.older()
        if at is None:
            break
    return named(frame)


def named(frame):
    name = frame.name()
    return {} if name is None else {"function": name}


def line_text(place):
    return linecache.getline(place["source"], place["line"]).strip() if "source" in place else ""


def thrown_type():
    """Of the C++ exception whose throw is caught: gdb's own $_exception needs debug information of the type."""
    for expression in ("$_probe_arg1", "$rsi"):  # of libstdc++'s probe; else the second argument of __cxa_throw
        try:
            address = int(gdb.parse_and_eval(expression)) & dap.ADDRESS
        except gdb.error:
            continue
        text = gdb.execute("info symbol 0x%x" % address, to_string=True)
        match = re.match(r"typeinfo for (.+?)(?:@\S+)?(?: \+ 0)? in section ", text)
        if match:
            return match.group(1)
    return "an exception"


def signal_name():
    number = int(gdb.parse_and_eval("$_siginfo.si_signo"))
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


class Passing(gdb.Function):
    """A condition that never holds, and takes a checkpoint. Whatever fails in it would be a stop."""

    def __init__(self, name, describe):
        super().__init__(name)
        self.describe = describe

    def invoke(self):
        try:
            label = self.describe()
            said, facts = take_here("exception", label)
            dap.tell_passing("%s: %s" % (said, label), facts.get("stop", {}), facts)
        except (gdb.error, gdb.GdbError, ValueError) as error:
            dap.tell_passing("no checkpoint (%s)" % error, {}, {})
        return False


Passing("_savepoint_thrown", lambda: "throw " + thrown_type())
Passing("_savepoint_signalled", signal_name)
