"""Pictures of the stopped program, of the present or of a checkpoint: calls, variables and places, as text to be compared (adapter/session/compare.ts).

A checkpoint is looked at without going back to it: between `savepoint-view ID TID` and `savepoint-view off` the server answers
registers and memory out of the checkpoint, as its thread TID stood. gdb does not know of that, so at both changes it has to forget
what it keeps of either. Whatever happens, the view is left: a value that cannot be read or printed is its own error text.

Loaded by dap.py, into one namespace with it.
"""

import contextlib
import functools
import hashlib
import itertools
import os
import time

import gdb

LOOKING = "Looking at checkpoint"  # what the server's consent begins with
LEAVE_TRIES = 5

MOST_CALLS = 200  # followed outwards to find ...
MOST_SOURCE_CALLS = 12  # ... these, whose variables are shown
MOST_VARIABLES = 150  # of a call or a file
MOST_ELEMENTS = 200
MOST_TEXT = 2000
LARGEST_PRINTED, LARGEST_DIGESTED = 64 << 10, 4 << 20  # bytes of an array
MOST_SECONDS = 10

OUTERMOST = "outermost"
STRUCTURES = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION)


# The view ------------------------------------------------------------------------------------------------------------


def flush():
    """gdb asks for registers, frames and memory anew."""
    gdb.execute("maintenance flush register-cache", to_string=True)
    gdb.execute("maintenance flush dcache", to_string=True)


def leave_view():
    for _ in range(LEAVE_TRIES):
        try:
            gdb.execute("monitor savepoint-view off", to_string=True)
            flush()
            return
        except KeyboardInterrupt:
            pass  # the user is impatient, but the view must end


@contextlib.contextmanager
def looking_at(checkpoint, tid):
    """gdb's newest frame is that of the checkpoint's thread `tid`, whichever thread is selected."""
    try:
        text = gdb.execute("monitor savepoint-view %d %d" % (checkpoint, tid), to_string=True)
        if not text.startswith(LOOKING):
            raise gdb.GdbError(text.strip())
        flush()
        yield
    finally:
        leave_view()


@contextlib.contextmanager
def standing_in(tid):
    """The present: the thread is selected."""
    thread = thread_of(tid)
    if thread is None:
        raise gdb.GdbError("There is no thread %d." % tid)
    thread.switch()
    yield


@contextlib.contextmanager
def calls_forbidden():
    """A pretty printer that calls the program's functions would make it run."""
    before = gdb.parameter("may-call-functions")
    gdb.execute("set may-call-functions off")
    try:
        yield
    finally:
        gdb.execute("set may-call-functions " + ("on" if before else "off"))


@contextlib.contextmanager
def selection_kept():
    thread, level = gdb.selected_thread(), 0
    try:
        level = gdb.selected_frame().level()
    except gdb.error:
        pass
    try:
        yield
    finally:
        if thread is not None and thread.is_valid():
            thread.switch()
            frame = gdb.newest_frame()
            while level > 0 and frame.older() is not None:
                frame, level = frame.older(), level - 1
            frame.select()


# Values --------------------------------------------------------------------------------------------------------------


def digest(data):
    return hashlib.sha1(data).hexdigest()[:16]


def array_text(value, bare):
    """The beginning of an array that is too large to be printed whole, and a digest of all of it."""
    element = value[bare.range()[0]]
    shown = element.address.cast(element.type.array(MOST_ELEMENTS - 1).pointer()).dereference()
    return format_value(shown)[:-1] + "...}"


def format_value(value):
    how = {"max_elements": MOST_ELEMENTS, "pretty_structs": True, "static_members": False}
    # Of a printer that fails gdb tells nothing but that there is no text.
    return value.format_string(**how) or value.format_string(raw=True, **how)


def describe_value(value):
    """Text, and a digest of what the text does not show (None: it shows all)."""
    try:
        bare = value.type.strip_typedefs()
        is_array = bare.code == gdb.TYPE_CODE_ARRAY
        text = array_text(value, bare) if is_array and bare.sizeof > LARGEST_PRINTED else format_value(value)
        more = None
        if is_array and "..." in text and value.address is not None and bare.sizeof <= LARGEST_DIGESTED:
            more = digest(bytes(gdb.selected_inferior().read_memory(int(value.address), bare.sizeof)))
    except Exception as error:  # also those of people's pretty printers
        return "<%s>" % str(error).strip(), None
    if len(text) > MOST_TEXT:
        more = (more or "") + digest(text.encode(errors="replace"))
        text = text[:MOST_TEXT] + "…"
    return text, more


def pointee(value):
    """What a pointer to a structure points to, or a smart one to anything; None: it is neither, or points nowhere."""
    try:
        bare = value.type.strip_typedefs()
        if bare.code == gdb.TYPE_CODE_PTR:
            target = bare.target().strip_typedefs()
            is_wanted = target.code in STRUCTURES and len(target.fields()) > 0
            return value.dereference() if is_wanted and int(value) != 0 else None
        pointer = smart_pointer(value) if bare.code in STRUCTURES else None
        return pointer.dereference() if pointer is not None and int(pointer) != 0 else None
    except Exception:
        return None


def smart_pointer(value):
    """By what their printers show: one child, the pointer, as `get()`."""
    children = list(itertools.islice(getattr(gdb.default_visualizer(value), "children", list)(), 2))
    return children[0][1] if len(children) == 1 and children[0][0] == "get()" else None


class Variables:
    """Those of one scope, the innermost block's first. A name that one of them hides has its line behind it."""

    def __init__(self, deadline):
        self.deadline = deadline
        self.entries = []
        self.names = set()
        self.is_cut = False

    def add(self, symbol, frame):
        if len(self.entries) >= MOST_VARIABLES or time.monotonic() > self.deadline:
            self.is_cut = True
            return
        name = symbol.print_name
        if name in self.names:
            name = "%s (line %d)" % (name, symbol.line)
        if name in self.names:
            return
        self.names.add(name)
        try:
            value = symbol.value(frame) if frame is not None else symbol.value()
        except Exception as error:
            self.put(name, "<%s>" % str(error).strip(), None)
            return
        self.put(name, *describe_value(value))
        target = pointee(value)
        if target is not None:
            self.put("*" + name, *describe_value(target))

    def put(self, name, text, more):
        self.entries.append([name, text] if more is None else [name, text, more])


# Calls ---------------------------------------------------------------------------------------------------------------
#
# Debug information of libraries names files that are not here. A call whose source can be opened says more to people than one in them.

is_here = functools.lru_cache(maxsize=1024)(os.path.exists)


def calls_outwards():
    """The selected thread's frames that have a source, with its file and line, from the innermost on: those with a file that is here, if there are any."""
    here, others, frame = [], [], gdb.newest_frame()
    for _ in range(MOST_CALLS):
        if frame is None or len(here) >= MOST_SOURCE_CALLS:
            break
        try:
            place = frame.find_sal()
            if place.symtab is not None and frame.name() is not None:
                found = here if is_here(place.symtab.fullname()) else others
                found.append((frame, place))
            frame = frame.older()
        except gdb.error:
            break  # the stack cannot be followed further
    return here or others[:MOST_SOURCE_CALLS]


def describe_call(frame, place):
    return {"function": frame.name(), "source": place.symtab.fullname(), "line": place.line}


def cfa_of(frame):
    caller = frame.older()
    return OUTERMOST if caller is None else hex(register(caller, "rsp"))


def variables_of(frame, deadline):
    found = Variables(deadline)
    try:
        block = frame.block()
    except RuntimeError:
        return {"variables": [], "cut": False}
    while block is not None and not block.is_global and not block.is_static:
        for symbol in block:
            if symbol.is_argument or symbol.is_variable:
                found.add(symbol, frame)
        if block.function is not None:
            break
        block = block.superblock
    return {"variables": found.entries, "cut": found.is_cut}


def variables_of_file(symtab, frame, deadline):
    found = Variables(deadline)
    for block in (symtab.static_block(), symtab.global_block()):
        for symbol in block:
            if symbol.is_variable:
                found.add(symbol, frame if symbol.needs_frame else None)
    return {"variables": found.entries, "cut": found.is_cut}


def place_of_thread():
    calls = calls_outwards()
    return describe_call(*calls[0]) if calls else {"function": gdb.newest_frame().name()}


# The question --------------------------------------------------------------------------------------------------------


def picture(wanted):
    """`checkpoint` (None: the present), `stacks`: threads whose calls are wanted, `places`: threads of which it is only asked where they stand."""
    checkpoint = wanted["checkpoint"]
    at = standing_in if checkpoint is None else lambda tid: looking_at(checkpoint, tid)
    deadline = time.monotonic() + MOST_SECONDS
    files, stacks, places, late = {}, [], [], False
    with calls_forbidden(), selection_kept():
        for tid in wanted["stacks"]:
            with at(tid):
                calls = []
                for frame, place in calls_outwards():
                    call = describe_call(frame, place)
                    calls.append({**call, "cfa": cfa_of(frame), **variables_of(frame, deadline)})
                    name = call["source"]
                    if name not in files:
                        files[name] = {"source": name, **variables_of_file(place.symtab, frame, deadline)}
                stacks.append({"tid": tid, "calls": calls})
        for tid in wanted["places"]:
            if time.monotonic() > deadline:
                late = True
                break
            with at(tid):
                places.append({"tid": tid, **place_of_thread()})
    return {"stacks": stacks, "files": list(files.values()), "places": places, "late": late}
