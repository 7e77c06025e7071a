"""The C++ exception that ends the program: its type and value where std::terminate was called, or where abort was by it. Loaded by dap.py,
whose names (and those of points.py) it finds in __main__.

No probe and no argument names it there. The runtime counts it as caught by then: __cxa_throw finds no handler, begins to catch it itself, and
calls std::terminate; so does __cxa_rethrow. Where it meets a noexcept function, the personality routine calls the handler of std::terminate.
What is caught hangs on a variable of the thread whose address only __cxa_get_globals() returns. That function is not called, because a program
that is looked at must not run: its few instructions are read.
Layouts: Itanium C++ ABI (Exception Handling), 2.2; gcc's unwind-cxx.h; glibc's tls.h (dtv).
"""

import __main__ as dap

import gdb

FARTHEST_CALLER = 16

# Of __cxa_exception, from its beginning; the object that was thrown follows.
TYPE, CLASS, OBJECT = 0, 80, 112
GNU, GNU_DEPENDENT = b"\0++CCUNG", b"\1++CCUNG"  # dependent: of std::rethrow_exception, whose first word is the object
TERMINATING = ("std::terminate", "__gnu_cxx::__verbose_terminate_handler", "__cxa_call_terminate", "__gxx_personality_v0")
CURRENT = ("__cxa_get_globals", "__cxa_get_globals_fast")


def word_at(address):
    return int.from_bytes(bytes(gdb.selected_inferior().read_memory(address, 8)), "little")


def text_at(address):
    return gdb.Value(address).cast(gdb.lookup_type("char").pointer()).string()


def uncaught(wanted):
    """{type, value}, as far as they are known; {"nothing": True}: std::terminate was called without an exception; None: it was not called."""
    frame = dap.frame_at(wanted["thread"], 0)
    frame.select()
    if not is_called_by(frame, TERMINATING):
        return None
    exception = word_at(globals_of_thread())
    if exception == 0:
        return {"nothing": True}
    kind = bytes(gdb.selected_inferior().read_memory(exception + CLASS, 8))
    if kind not in (GNU, GNU_DEPENDENT):
        return {}
    thrown_object = word_at(exception) if kind == GNU_DEPENDENT else exception + OBJECT
    typeinfo = word_at(thrown_object - OBJECT + TYPE)
    name = dap.typeinfo_at(typeinfo) or name_in(typeinfo)
    for look in (lambda: dap.message_of(typeinfo, name, thrown_object), lambda: value_of(name, thrown_object)):
        try:
            return {"type": name, "value": look()}
        except (gdb.error, UnicodeDecodeError):
            continue
    return {"type": name}


def is_called_by(frame, names):
    for _ in range(FARTHEST_CALLER):
        if frame is None:
            return False
        if (frame.name() or "").startswith(names):
            return True
        frame = frame.older()
    return False


class Unannounced(gdb.Function):
    """Of the usual handler of std::terminate: whether that itself, which has a breakpoint, has not been called."""

    def invoke(self):
        return not is_called_by(gdb.newest_frame(), TERMINATING[:1])


Unannounced("_savepoint_unannounced")


def name_in(typeinfo):
    """For a program without symbols: the typeinfo has the mangled name."""
    mangled = text_at(word_at(typeinfo + 8)).lstrip("*")
    text = gdb.execute("demangle -l c++ -- _ZTS" + mangled, to_string=True).strip()
    return text.replace("typeinfo name for ", "")


def value_of(name, address):
    try:
        kind = gdb.lookup_type(name)
    except gdb.error:  # no name of a type alone, as `char const*`
        kind = gdb.parse_and_eval("(%s *) 0" % name).type.target()
    return gdb.Value(address).cast(kind.pointer()).dereference().format_string()


def globals_of_thread():
    """The address of the thread's __cxa_eh_globals; its first word is the exception that was caught last."""
    for name in CURRENT:
        try:
            start = int(gdb.parse_and_eval("(long) &%s" % name)) & dap.ADDRESS
        except gdb.error:
            continue
        return follow(start)
    raise gdb.error("this program's C++ runtime is not known")


def follow(start):
    """What the function at `start` returns, which is the address of a thread's variable in any of the ways a compiler has for that."""
    tcb = int(gdb.parse_and_eval("$fs_base")) & dap.ADDRESS
    memory = gdb.selected_inferior().read_memory
    result = None
    for instruction in dap.disassemble(gdb.selected_frame(), start, count=12):
        code = bytes(memory(instruction["addr"], instruction["length"])).lstrip(b"\x66")
        beyond = instruction["addr"] + instruction["length"]
        number = int.from_bytes(code[3:7], "little", signed=True)
        if code.startswith(b"\x48\x8d\x3d"):  # lea X(%rip), %rdi: the argument of __tls_get_addr
            module, offset = word_at(beyond + number), word_at(beyond + number + 8)
            result = word_at(word_at(tcb + 8) + 16 * module) + offset
        elif code == b"\x64\x48\x8b\x04\x25\0\0\0\0":  # mov %fs:0, %rax
            result = tcb
        elif code == b"\x64\x48\x03\x04\x25\0\0\0\0":  # add %fs:0, %rax
            result += tcb
        elif code.startswith(b"\x48\x8b\x05"):  # mov X(%rip), %rax
            result = word_at(beyond + number)
        elif code.startswith(b"\x48\x03\x05"):  # add X(%rip), %rax
            result += word_at(beyond + number)
        elif code.startswith(b"\x48\x05"):  # add $X, %rax
            result += int.from_bytes(code[2:6], "little", signed=True)
        elif code.startswith(b"\x48\x8d\x80"):  # lea X(%rax), %rax
            result += number
        elif code.startswith((b"\x48\x83\xc0", b"\x48\x8d\x40")):  # the same two with a small X
            result += int.from_bytes(code[3:4], "little", signed=True)
        elif code.startswith(b"\xc3"):
            break
    if result is None:
        raise gdb.error("this program's C++ runtime is not known")
    return result & dap.ADDRESS
