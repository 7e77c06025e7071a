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


STANDARD = re.compile(
    "std::(logic_error|domain_error|invalid_argument|length_error|out_of_range|runtime_error|range_error|overflow_error|underflow_error)$"
)


def typeinfo_at(address):
    """The type's name; None: there is no typeinfo."""
    text = gdb.execute("info symbol 0x%x" % address, to_string=True)
    match = re.match(r"typeinfo for (.+?)(?:@\S+)?(?: \+ 0)? in section ", text)
    return match and match.group(1)


def thrown_typeinfo():
    """Its address and name, of the C++ exception that is thrown, thrown on or caught here: $_exception needs debug information of the type."""
    # Of libstdc++'s probes; else the second argument of __cxa_throw.
    for expression in ("$_probe_arg1", "$rsi") if gdb.newest_frame().name() == "__cxa_throw" else ("$_probe_arg1",):
        try:
            address = int(gdb.parse_and_eval(expression)) & dap.ADDRESS
        except gdb.error:
            continue
        name = typeinfo_at(address)
        if name is not None:
            return address, name
    return None, None


def thrown_type():
    return thrown_typeinfo()[1] or "an exception"


def thrown(wanted):
    """What `exceptionInfo` tells of it, as far as it is known."""
    dap.frame_at(wanted["thread"], 0).select()
    address, name = thrown_typeinfo()
    facts = {} if name is None else {"type": name}
    for look in (lambda: thrown_message(address, name), lambda: gdb.parse_and_eval("$_exception").format_string()):
        try:
            return {**facts, "value": look()}
        except (gdb.error, UnicodeDecodeError):
            continue
    return facts


def thrown_message(typeinfo, name):
    return message_of(typeinfo, name, int(gdb.parse_and_eval("$_probe_arg0")))


def message_of(typeinfo, name, thrown_object):
    """The text of one of the standard library's, which is behind its first pointer, or of one that is derived from it."""
    while name is not None and not STANDARD.match(name):
        typeinfo = dap.word_at(typeinfo + 16)  # of its only base, when it has one (Itanium C++ ABI, 2.9.5)
        name = typeinfo_at(typeinfo)
    if name is None:
        raise gdb.error("a type of somebody's own")
    return dap.text_at(dap.word_at(thrown_object + 8))


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
