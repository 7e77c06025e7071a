"""What the debug adapter (adapter/) wants of gdb and MI cannot say, behind one MI command: `-savepoint-ask WORD JSON` (QUESTIONS, at the end).

Log points, and hit conditions other than "from the Nth on", are breakpoints whose `stop` method decides inside gdb, so a step that passes one
goes on, and nothing crosses the MI pipe but a log point's text. That text is one console record: the mark, a JSON object, a newline. A log
point may take a checkpoint as well (points.py).
"""

import glob
import json
import os
import re
import signal
import sys

import gdb

MARK = "\x1e"  # what a program prints never comes here, and gdb's own words have no control characters

COMPARE = {
    "==": lambda hits, count: hits == count,
    ">=": lambda hits, count: hits >= count,
    ">": lambda hits, count: hits > count,
    "<=": lambda hits, count: hits <= count,
    "<": lambda hits, count: hits < count,
    "%": lambda hits, count: hits % count == 0,
}

WATCHES = {"write": gdb.WP_WRITE, "read": gdb.WP_READ, "readWrite": gdb.WP_ACCESS}


def split_message(message):
    """`x is {x}` as a list of (is an expression, text). `\\{` is a brace; braces in an expression may nest."""
    parts, text, depth, index = [], "", 0, 0
    while index < len(message):
        char = message[index]
        if depth == 0 and char == "\\" and message[index + 1 : index + 2] in ("{", "}", "\\"):
            text += message[index + 1]
            index += 2
            continue
        if char == "{" and depth == 0:
            parts.append((False, text))
            text, depth = "", 1
        elif char == "}" and depth == 1:
            parts.append((True, text))
            text, depth = "", 0
        else:
            depth += {"{": 1, "}": -1}.get(char, 0) if depth > 0 else 0
            text += char
        index += 1
    parts.append((False, "{" + text if depth > 0 else text))
    return parts


def show(expression):
    try:
        value = gdb.parse_and_eval(expression)
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and value.type.strip_typedefs().target().sizeof == 1:
            return value.string()
        return value.format_string()
    except (gdb.error, UnicodeDecodeError) as error:
        return "<%s>" % error


class ScriptedBreakpoint(gdb.Breakpoint):
    def __init__(self, wanted):
        if "function" in wanted:
            super().__init__(function=wanted["function"])
        elif "address" in wanted:
            super().__init__("*" + wanted["address"])
        elif "watch" in wanted:
            super().__init__(wanted["watch"], type=gdb.BP_WATCHPOINT, wp_class=WATCHES[wanted["access"]])
        else:
            super().__init__(source=wanted["file"], line=wanted["line"])
        self.wanted = wanted
        self.message = split_message(wanted["log"]) if "log" in wanted else None
        self.hits = 0

    def stop(self):
        condition = self.wanted.get("condition")
        if condition and not gdb.parse_and_eval(condition):
            return False
        self.hits += 1
        if "compare" in self.wanted and not COMPARE[self.wanted["compare"]](self.hits, self.wanted["count"]):
            return False
        if self.message is None:
            return True
        line = gdb.selected_frame().find_sal()
        place = {"source": line.symtab.fullname(), "line": line.line} if line.symtab else {}
        text, facts = self.write_message()
        tell_passing(text, place, facts)
        return False

    def write_message(self):
        """At most one checkpoint is taken, however often the message names it."""
        words, said, facts = [], None, {}
        for is_expression, text in self.message:
            label = label_in(text) if is_expression else None
            if label is not None and said is None:
                said, facts = take_here("breakpoint", fill(split_message(label)))
            words.append(said if label is not None else show(text) if is_expression else text)
        return "".join(words), facts


def fill(parts):
    return "".join(show(text) if is_expression else text for is_expression, text in parts)


def tell_passing(text, place, facts):
    """What the adapter hears of a place that the program has passed."""
    place = {name: place[name] for name in ("source", "line") if name in place}
    gdb.write(MARK + json.dumps({"log": text, **place, **facts}) + "\n")


def tell_return(self, sentence, notes):
    """What the adapter hears of a checkpoint that was gone back to."""
    gdb.write(MARK + json.dumps({"returned": sentence, "notes": notes}) + "\n")


Return.tell = tell_return  # savepoint.py


def tell_read(event):
    """What the adapter counts when gdb reads the symbols of many libraries."""
    if event.new_objfile.owner is None:  # else a debug file, which belongs to another
        gdb.write(MARK + json.dumps({"read": event.new_objfile.filename}) + "\n")


gdb.events.new_objfile.connect(tell_read)


def set_break(wanted):
    """`wanted`: file and line (or function, or address, or watch and access), condition, compare and count, log."""
    if wanted.get("condition"):
        # A condition that cannot be read is told now. Names may be unknown until the place is reached.
        try:
            gdb.parse_and_eval(wanted["condition"])
        except gdb.error as error:
            if "syntax error" in str(error):
                raise gdb.GdbError(str(error))
    return {"number": ScriptedBreakpoint(wanted).number}


def finds_reads(wanted):
    """Whether the server can watch for reads of it. gdb asks that at the next resume only, and then refuses this one and all that follow."""
    inferior = gdb.selected_inferior()
    value = gdb.parse_and_eval(wanted["expression"])
    if inferior.pid == 0 or value.address is None or not hasattr(inferior.connection, "send_packet"):
        return True
    place = "4,%x,%x" % (int(value.address) & ADDRESS, value.type.sizeof)
    if inferior.connection.send_packet("Z" + place) != b"OK":
        return False
    inferior.connection.send_packet("z" + place)
    return True


# Frames ----------------------------------------------------------------------------------------------------------------
#
# A call is known again, in another state of the same program, by where its frame is (the caller's stack pointer), by the function,
# the return address, and by what the caller keeps: its registers and its part of the stack. That part may have been written since
# by the function itself (through pointers), so it decides only between calls that agree in all the rest.

KEPT_REGISTERS = ("rbx", "rbp", "r12", "r13", "r14", "r15")  # by the x86-64 ABI
USUAL_COMPARED, MOST_COMPARED = 4096, 65536
ADDRESS = (1 << 64) - 1


def register(frame, name):
    return int(frame.read_register(name)) & ADDRESS


def thread_of(tid):
    for thread in gdb.selected_inferior().threads():
        if thread.is_valid() and thread.ptid[1] == tid:
            return thread
    return None


def frame_at(number, level):
    """Selects thread `number` and returns its frame `level`."""
    for thread in gdb.selected_inferior().threads():
        if thread.num == number:
            thread.switch()
            frame = gdb.newest_frame()
            for _ in range(level):
                frame = frame and frame.older()
            if frame:
                return frame
    raise gdb.GdbError("There is no such frame.")


def start_of_function(pc):
    """The address of the function around `pc`; None: unknown."""
    block = gdb.block_for_pc(pc)
    while block is not None and (block.function is None or getattr(block.function, "is_inlined", False)):
        block = block.superblock
    if block is not None and not block.is_global and not block.is_static:
        return getattr(block, "entry_pc", None) or block.start
    text = gdb.execute("info symbol 0x%x" % pc, to_string=True)
    offset = text.split(" + ")[1].split()[0] if " + " in text else "0"
    return pc - int(offset, 0) if " in section " in text and offset.isdigit() else None


def call_of(frame):
    """What a call is known by (JSON numbers would lose bits on their way); None: the frame is none of a function that was called."""
    if frame.type() != gdb.NORMAL_FRAME:
        return None
    # A caller's address is the one behind its call, which may be another function's.
    pc = frame.pc() - (0 if frame.level() == 0 else 1)
    caller = frame.older()
    entry = start_of_function(pc) if pc > 0 else None
    if caller is None or entry is None:
        return None
    while caller.type() == gdb.INLINE_FRAME and caller.older() is not None:
        caller = caller.older()
    cfa = register(caller, "rsp")
    beyond = caller.older()
    # gdb shows nothing beyond main.
    size = max(0, min(register(beyond, "rsp") - cfa, MOST_COMPARED)) if beyond is not None else USUAL_COMPARED
    return {
        "tid": gdb.selected_thread().ptid[1],
        "name": frame.name() or "0x%x" % entry,
        "entry": hex(entry),
        "cfa": hex(cfa),
        "back": hex(caller.pc()),
        "registers": [hex(register(caller, name)) for name in KEPT_REGISTERS],
        "stack": stack_at(cfa, size).hex(),
    }


def stack_at(address, size):
    """As much of it as there is."""
    while size > 0:
        try:
            return bytes(gdb.selected_inferior().read_memory(address, size))
        except gdb.MemoryError:
            size //= 2
    return b""


def differences(one, other):
    """How many bytes of the callers' stacks differ; None: they are other calls."""
    if any(one[key] != other[key] for key in ("entry", "cfa", "back", "registers")):
        return None
    a, b = bytes.fromhex(one["stack"]), bytes.fromhex(other["stack"])
    return sum(x != y for x, y in zip(a, b))


def call_at_entry(wanted):
    """The call that begins here, when the selected thread stands at the first instruction of the function."""
    frame = gdb.newest_frame()
    sp = register(frame, "rsp")
    memory = gdb.selected_inferior().read_memory
    return {
        "entry": hex(frame.pc()),
        "cfa": hex(sp + 8),
        "back": hex(int.from_bytes(bytes(memory(sp, 8)), "little")),
        "registers": [hex(register(frame, name)) for name in KEPT_REGISTERS],
        "stack": stack_at(sp + 8, len(wanted["stack"]) // 2).hex(),
    }


def place_in(wanted):
    """Where the present state is, seen from a call: `entry`, `inside`, or `outside` (before it, one hopes)."""
    thread = thread_of(wanted["tid"])
    if thread is None:
        return "outside"
    thread.switch()
    frame = gdb.newest_frame()
    if hex(frame.pc()) == wanted["entry"] and hex(register(frame, "rsp") + 8) == wanted["cfa"]:
        return "entry" if differences(wanted, call_at_entry(wanted)) == 0 else "outside"
    try:
        while frame is not None:
            found = call_of(frame)
            if found is not None and differences(wanted, found) is not None:
                return "inside"
            frame = frame.older()
    except gdb.error:
        pass  # the stack cannot be followed further, as before the first call in a program
    return "outside"


class EntryBreakpoint(gdb.Breakpoint):
    """Stops where a call that is known begins. Of calls that differ in some bytes only, it remembers which came nearest."""

    def __init__(self, wanted, index):
        super().__init__("*" + wanted["entry"])
        self.wanted = wanted
        self.index = index  # stop at this one, whatever it looks like; None: at an exact one
        self.seen = 0
        self.best = None

    def stop(self):
        if gdb.selected_thread().ptid[1] != self.wanted["tid"]:
            return False
        found = differences(self.wanted, call_at_entry(self.wanted))
        if found is None:
            return False
        self.seen += 1
        if self.index is not None:
            return self.seen == self.index
        if self.best is None or found <= self.best[0]:
            self.best = (found, self.seen)
        return found == 0


class CallBreakpoint(gdb.Breakpoint):
    """Stops in a function when a certain frame has called it."""

    def __init__(self, place, thread, frame):
        super().__init__(place)
        self.thread = thread
        self.caller = frame

    def stop(self):
        frame = gdb.newest_frame().older()
        return frame is not None and frame == self.caller


def disassemble(frame, *places, **count):
    """gdb (13) dies of a ^C in the middle of it: the disassembler is in C, through which no exception of C++ finds its way."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        return frame.architecture().disassemble(*places, **count)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def calls_of_line(frame):
    """Functions that the rest of the frame's line calls, as far as the code names them."""
    pc = frame.pc()
    line = gdb.find_pc_line(pc)
    if line.symtab is None or line.last is None:
        return []
    end = line.last
    while True:
        more = gdb.find_pc_line(end + 1)
        if more.symtab is None or more.line != line.line or more.last is None or more.symtab.filename != line.symtab.filename:
            break
        end = more.last
    found = []
    for instruction in disassemble(frame, pc, end):
        words = instruction["asm"].split(None, 2)
        if len(words) == 3 and words[0].startswith("call") and words[1].startswith("0x") and words[2].startswith("<"):
            name = words[2][1:-1]
            call = {"address": words[1], "name": name[:-4] if name.endswith("@plt") else name}
            if call not in found:
                found.append(call)
    return found


# Breakpoints that are set here, and the program ------------------------------------------------------------------------------

NO_DEBUG = "(No debugging symbols found in "
own_breakpoints = {}


def keep_breakpoint(breakpoint):
    own_breakpoints[breakpoint.number] = breakpoint
    return {"number": breakpoint.number}


def set_entry(wanted):
    return keep_breakpoint(EntryBreakpoint(wanted["call"], wanted.get("index")))


def set_call(wanted):
    frame = frame_at(wanted["thread"], 0)
    thread = gdb.selected_thread().num
    try:
        # By its name gdb goes past the beginning, where the arguments are not in their places yet.
        return keep_breakpoint(CallBreakpoint("-function %s" % wanted["name"], thread, frame))
    except gdb.error:
        return keep_breakpoint(CallBreakpoint("*" + wanted["address"], thread, frame))


def load_program(wanted):
    """Whether it came with debug information, which gdb says only in words, and not at all to MI."""
    file = re.sub(r"([\s'\"\\])", r"\\\1", wanted["file"])
    return NO_DEBUG not in gdb.execute("file " + file, from_tty=True, to_string=True)


def end_breakpoint(wanted):
    breakpoint = own_breakpoints.pop(wanted["number"], None)
    if breakpoint is None:
        return {}
    best = getattr(breakpoint, "best", None)
    if breakpoint.is_valid():
        breakpoint.delete()
    return {} if best is None else {"best": best[1]}



def load_part(name):
    gdb.execute("source " + os.path.join(os.path.dirname(os.path.abspath(__file__)), name))


load_part("elements.py")
load_part("picture.py")

QUESTIONS = {
    "break": set_break,
    "reads": finds_reads,
    "call": lambda wanted: call_of(frame_at(wanted["thread"], wanted["frame"])),
    "place": lambda wanted: place_in(wanted["call"]),
    "entry": set_entry,
    "calls": lambda wanted: calls_of_line(frame_at(wanted["thread"], wanted["frame"])),
    "into": set_call,
    "end": end_breakpoint,
    "elements": list_elements,
    "load": load_program,
    "thrown": lambda wanted: thrown(wanted),
    "uncaught": lambda wanted: uncaught(wanted),
    "picture": picture,
    "live": lambda wanted: leave_view(),
    "monitor": lambda wanted: gdb.execute("monitor " + wanted["line"], to_string=True),
    "pid": lambda wanted: os.getpid(),
}


# Rust ------------------------------------------------------------------------------------------------------------------


def find_rust_printers():
    """The folder of the scripts that a Rust program asks for by name (.debug_gdb_scripts), of which only `rust-gdb` tells gdb where they are."""
    home = os.environ.get("RUSTUP_HOME") or os.path.expanduser("~/.rustup")
    toolchains = sorted(glob.glob(os.path.join(glob.escape(home), "toolchains/*")), key=os.path.getmtime, reverse=True)
    for prefix in (*toolchains, "/usr/local", "/usr"):
        folder = os.path.join(prefix, "lib/rustlib/etc")
        if os.path.exists(os.path.join(folder, "gdb_load_rust_pretty_printers.py")):
            return folder
    return None


def offer_rust_printers():
    folder = find_rust_printers()
    if folder is None:
        return
    sys.path.append(folder)
    gdb.execute("set directories $cdir:$cwd:" + folder)
    gdb.execute("add-auto-load-safe-path " + folder)


offer_rust_printers()


class Ask(gdb.MICommand):
    """A question of the debug adapter: a word, and hexadecimal JSON. The answer is JSON as well: as a result, which gdb writes at once; what goes
    to the console it hands on character by character."""

    def invoke(self, argv):
        word, data = argv
        try:
            return {"answer": json.dumps(QUESTIONS[word](json.loads(bytes.fromhex(data))))}
        except gdb.error as error:
            raise gdb.GdbError(str(error))  # else gdb puts "Error occurred in Python" before it


load_part("points.py")
load_part("uncaught.py")
Ask("-savepoint-ask")
