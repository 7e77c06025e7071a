"""gdb's side of Savepoint: `checkpoint`, `info checkpoints`, `delete checkpoint` and `restart` for a Savepoint server.

Loaded by `savepoint gdb`, or by hand with `source savepoint.py` in a gdb that is (or will be) connected to
`savepoint gdbserver`. The four commands keep gdb's names and hide gdb's own, so they are installed only once a connection
has answered as ours: a gdb that debugs natively keeps its own commands.

How a restart reaches gdb: `monitor restart N` arms the restore in the server, and the next resume is answered with the
restored state as an ordinary stop ("signal 0"). gdb then reads registers, memory, threads and libraries anew by itself;
nothing in gdb is patched or flushed. When gdb believes the process dead, `starti` plays the part of the resume.

This file knows the server's `monitor` words (one table, `MONITOR`), and nothing else of it.
"""

import ctypes
import json
import os
import re
import signal

import gdb

MONITOR = {
    "version": "savepoint-version",
    "take": "checkpoint",
    "take-json": "savepoint-take-json named",
    "details": "info checkpoints %d",
    "list": "info checkpoints-json",
    "list-more": "info checkpoints-json %d",
    "restart": "restart %d quietly",
    "restored": "restored-json",
    "drop": "delete checkpoint %d",
    "bell": "savepoint-bell",
    "wanted": "savepoint-wanted-json",
}

# What the server's sentences begin with or contain. Everything else in them is for people.
IS_OURS = "savepoint "
IS_ARMED = "is armed."
TAKEN = re.compile(r"Checkpoint (\d+)\b")
NO_TUI = "not active"  # gdb's answer to `info win`
REFUSALS = ("No checkpoint", "Refused:", "Unknown", "Target does not support")

WATCHPOINTS = (gdb.BP_WATCHPOINT, gdb.BP_HARDWARE_WATCHPOINT, gdb.BP_READ_WATCHPOINT, gdb.BP_ACCESS_WATCHPOINT)


# The connection ------------------------------------------------------------------------------------------------------


class Session:
    """What is known of gdb's connections: which of them are ours, and the exec file that was told to the server."""

    def __init__(self):
        self.answers = {}  # connection number -> is it ours
        self.told = None  # last `set remote exec-file` that came from here
        self.installed = False

    def is_ours(self):
        connection = gdb.selected_inferior().connection
        if connection is None or connection.type not in ("remote", "extended-remote"):
            return False
        known = self.answers.get(connection.num)
        if known is None:
            if is_running():
                return False  # cannot be asked now; the next prompt asks again
            try:
                known = monitor("version").startswith(IS_OURS)
            except gdb.error:
                known = False
            self.answers[connection.num] = known
        return known

    def adopt(self):
        """Installs the commands as soon as the current connection is ours."""
        if self.is_ours():
            if not self.installed:
                self.installed = True
                for command in (Checkpoint, InfoCheckpoints, DeleteCheckpoint, Restart):
                    command()
            be_patient()
            bell.listen(gdb.selected_inferior().connection.num)  # bell.py
            self.tell_exec_file()

    def tell_exec_file(self):
        """`run` over a remote connection starts `remote exec-file`; gdb users expect gdb's own exec file there."""
        name = exec_file()
        if name is None and self.told is None:
            # gdb could not read the file of its command line (a script, a directory, nothing there). The server is told
            # all the same: it answers `run` with what is wrong and what to do.
            name = os.environ.get("SAVEPOINT_PROGRAM")
        current = gdb.parameter("remote exec-file") or None
        if name and name != current and current in (None, self.told):
            gdb.execute("set remote exec-file " + name)
            self.told = name


def exec_file():
    """What gdb would run. Before gdb 14 only a table tells: the file name of a program space is that of the symbols."""
    space = gdb.current_progspace()
    if hasattr(space, "executable_filename"):
        return space.executable_filename
    lines = gdb.execute("info inferiors", to_string=True).splitlines()
    column = lines[0].index("Executable")
    return next((line[column:].strip() for line in lines if line.startswith("*")), "") or None


def monitor(word, argument=None):
    """One exchange with the server; returns its text."""
    line = MONITOR[word]
    if "%d" in line:
        line %= argument
    elif argument:
        line += " " + argument
    return gdb.execute("monitor " + line, to_string=True)


def is_running():
    try:
        return any(thread.is_valid() and thread.is_running() for thread in gdb.selected_inferior().threads())
    except gdb.error:
        return True  # the list of threads cannot be asked for while a remote target runs


def require_server(command):
    if is_running():
        raise gdb.GdbError("%s: the program is running; stop it first (\"interrupt\")." % command)
    if not session.is_ours():
        raise gdb.GdbError("%s: this inferior is not connected to a Savepoint server." % command)


def ask(word, argument=None):
    """An exchange whose refusal becomes gdb's error."""
    text = monitor(word, argument)
    if text.startswith(REFUSALS):
        raise gdb.GdbError(text.strip())
    return text


# Numbers -------------------------------------------------------------------------------------------------------------


def parse_numbers(text, command):
    """`1 3-5 7` as gdb's own number lists; `$var` is evaluated."""
    numbers = []
    for word in gdb.string_to_argv(text or ""):
        span = re.match(r"(\d+)-(\d+)$", word)
        if span:
            numbers.extend(range(int(span.group(1)), int(span.group(2)) + 1))
        elif word.isdigit():
            numbers.append(int(word))
        elif word.startswith("$"):
            try:
                numbers.append(int(gdb.parse_and_eval(word)))
            except (gdb.error, TypeError, ValueError):
                raise gdb.GdbError("%s: %s is not a number." % (command, word))
        else:
            raise gdb.GdbError("%s: \"%s\" is not a checkpoint number." % (command, word))
    return numbers


def complete_numbers(word):
    if is_running() or not session.is_ours():
        return []
    try:
        rows = list_checkpoints()["checkpoints"]
    except (gdb.error, gdb.GdbError, ValueError):
        return []
    return [str(row["id"]) for row in rows if str(row["id"]).startswith(word)]


def remember(number):
    gdb.set_convenience_variable("_checkpoint", number)


# The commands --------------------------------------------------------------------------------------------------------


class Checkpoint(gdb.Command):
    """Save the whole state of the program, to come back to with "restart".
Usage: checkpoint [LABEL]

All threads are saved: memory, registers, signals, open files and their
positions. The program stays where it is and no process is forked.
"info checkpoints" lists what was saved, "restart N" goes back,
"delete checkpoint N" forgets. The number is kept in $_checkpoint."""

    def __init__(self):
        super().__init__("checkpoint", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        require_server("checkpoint")
        if gdb.selected_inferior().pid == 0:
            raise gdb.GdbError("The program is not being run.")
        text = monitor("take", argument.strip())
        taken = TAKEN.match(text)
        if taken is None:
            raise gdb.GdbError(text.strip())
        remember(int(taken.group(1)))
        gdb.write(text)


class InfoCheckpoints(gdb.Command):
    """List the checkpoints of the program, as the tree in which they were taken.
Usage: info checkpoints [N]

The mark shows the checkpoint from which the present state came. With a
number, everything about that checkpoint, also what it cannot bring back."""

    def __init__(self):
        super().__init__("info checkpoints", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        require_server("info checkpoints")
        numbers = parse_numbers(argument, "info checkpoints")
        for number in numbers:
            gdb.write(ask("details", number))
        if numbers:
            return
        answer = list_checkpoints()
        if not answer["checkpoints"]:
            gdb.write("No checkpoints.\n")
        width = max([len(str(row["id"])) for row in answer["checkpoints"]], default=0)
        for row in answer["checkpoints"]:
            mark = "*" if row["id"] == answer["current"] else " "
            gdb.write("%s %*d %s%s\n" % (mark, width, row["id"], "  " * row["depth"], describe(row)))

    def complete(self, text, word):
        return complete_numbers(word)


def describe(row):
    """gdb's own shape ("process P at PC, file F, line L"), and behind it what gdb has no word for."""
    text = "process %d at %s" % (row["pid"], row["pc"])
    place = gdb.find_pc_line(int(row["pc"], 16))
    if place.symtab is not None:
        text += ", file %s, line %d" % (place.symtab.filename, place.line)
    if row["label"]:
        text += ", " + row["label"]
    threads = "%d thread%s" % (row["threads"], "" if row["threads"] == 1 else "s")
    return "%s (%s, %.1f MiB, %.1f ms)" % (text, threads, row["ownBytes"] / (1 << 20), row["durationMs"])


def list_checkpoints():
    """A long list comes in several answers, because each must fit in a packet."""
    answer = json.loads(ask("list"))
    while answer["more"]:
        rest = json.loads(ask("list-more", answer["checkpoints"][-1]["id"]))
        answer["checkpoints"] += rest["checkpoints"]
        answer["more"] = rest["more"]
    return answer


class DeleteCheckpoint(gdb.Command):
    """Forget one or more checkpoints.
Usage: delete checkpoint N...

Any checkpoint may be deleted, in any order; the others stay as they are.
Numbers and ranges (2-5) are understood."""

    def __init__(self):
        super().__init__("delete checkpoint", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        require_server("delete checkpoint")
        numbers = parse_numbers(argument, "delete checkpoint")
        if not numbers:
            raise gdb.GdbError("Requires argument (checkpoint number to delete).")
        for number in numbers:
            gdb.write(ask("drop", number))

    def complete(self, text, word):
        return complete_numbers(word)


class Restart(gdb.Command):
    """Go back to a checkpoint, in the same process.
Usage: restart N

The process keeps its id, its threads get their ids back, breakpoints and
watchpoints stay set; the program goes on from there with "continue" or
"step". It works after the program has exited or crashed, too.
What cannot be taken back (output that was already written, data sent to
other programs) is named."""

    def __init__(self):
        super().__init__("restart", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        require_server("restart")
        numbers = parse_numbers(argument, "restart")
        if len(numbers) != 1:
            raise gdb.GdbError("Requires argument (checkpoint number to restart).")
        text = monitor("restart", numbers[0])
        if IS_ARMED not in text:
            raise gdb.GdbError(text.strip())
        Return(numbers[0]).start()

    def complete(self, text, word):
        return complete_numbers(word)


# The way back --------------------------------------------------------------------------------------------------------


class Return:
    """One restart: the resume that the server answers with the restored state, and what gdb needs before and after it.

    Watchpoints are off during that resume: gdb would compare against the value from before the restart, report a change
    that the program never made, and run the watchpoint's commands. Enabling them again makes gdb read the restored value.
    With `mi-async on`, and when it was not typed (bell.py), the resume returns before the stop, so the second half then runs in a stop
    handler, and gdb reports the stop as always.
    """

    def __init__(self, number, afterwards=lambda: None):
        self.number = number
        self.afterwards = afterwards
        self.is_reported = False
        self.noise = ""
        self.watchpoints = []
        self.thread = None

    def start(self):
        alive = gdb.selected_inferior().pid != 0
        self.thread = gdb.selected_thread().num if alive and gdb.selected_thread() else None
        self.watchpoints = [b for b in gdb.breakpoints() if b.is_valid() and b.enabled and b.type in WATCHPOINTS]
        set_enabled(self.watchpoints, False)
        try:
            self.noise = resume_quietly("continue" if alive else "starti")
        except BaseException:
            set_enabled(self.watchpoints, True)
            raise
        if is_running():
            gdb.events.stop.connect(self.on_stop)
            gdb.events.exited.connect(self.on_exit)
            return
        try:
            self.finish()
        finally:
            self.afterwards()

    def on_stop(self, event):
        self.disconnect()
        self.is_reported = True
        try:
            self.finish()
        finally:
            self.afterwards()

    def on_exit(self, event):
        self.disconnect()
        set_enabled(self.watchpoints, True)

    def disconnect(self):
        gdb.events.stop.disconnect(self.on_stop)
        gdb.events.exited.disconnect(self.on_exit)

    def finish(self):
        set_enabled(self.watchpoints, True)
        pid = gdb.selected_inferior().pid
        if pid == 0:
            gdb.write(self.noise)
            raise gdb.GdbError("The program ended before it was back at checkpoint %d." % self.number)
        outcome = json.loads(monitor("restored"))
        if "error" in outcome:
            raise gdb.GdbError(outcome["error"])
        remember(self.number)
        self.tell("Switching to checkpoint %d (process %d), %s." % (self.number, pid, outcome["milliseconds"]), outcome["notes"])
        if self.is_reported or not is_plain_console():
            return  # by gdb itself
        if self.thread not in (None, gdb.selected_thread().num):
            gdb.write(gdb.execute("thread", to_string=True).replace("Current thread is", "Switching to thread"))
        gdb.execute("frame")
        # The displays were evaluated once, at the stop; showing that text spares the program a second evaluation.
        displays = re.search(r"^\d+: .*", self.noise, re.M | re.S)
        if displays:
            gdb.write(displays.group())

    def tell(self, sentence, notes):
        """dap.py puts its own way in its place."""
        gdb.write("".join(line + "\n" for line in [sentence, *notes]))


def resume_quietly(command):
    """Runs a resume to its stop and returns gdb's words, but for the report of the stop itself.

    That report is written past `to_string`. On a plain terminal or pipe it is caught at the descriptor and dropped (`frame`
    says it better); for MI the records must go out, and the TUI draws on the same descriptor, so there gdb may speak.
    """
    if not is_plain_console():
        return gdb.execute(command, from_tty=False, to_string=True)
    gdb.flush(gdb.STDOUT)
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    try:
        return gdb.execute(command, from_tty=False, to_string=True)
    finally:
        gdb.flush(gdb.STDOUT)
        os.dup2(kept, 1)
        os.close(kept)


def is_plain_console():
    if speaks_mi():
        return False
    try:
        return NO_TUI in gdb.execute("info win", to_string=True)
    except gdb.error:
        return True  # a gdb built without it


def speaks_mi():
    """gdb tells Python nothing of its interpreter; it is fixed by the command line."""
    with open("/proc/self/cmdline", "rb") as file:
        words = file.read().decode(errors="replace").split("\0")
    for index, word in enumerate(words):
        option = re.match(r"--?(i(?:n|nt|nte|nter|nterp|nterpr|nterpre|nterpret|nterprete|nterpreter)?)(?:=(.*))?$", word)
        if option:
            return (option.group(2) or words[index + 1]).startswith("mi")
    return False


def set_enabled(watchpoints, enabled):
    for watchpoint in watchpoints:
        if watchpoint.is_valid():
            watchpoint.enabled = enabled


def be_patient():
    """gdb takes an answer that has not come for some seconds for a broken one ("Ignoring packet error"); the first checkpoint of
    a large program may take longer. A server that is gone shows at once, and ^C ends the wait. Who has chosen a limit keeps it."""
    if gdb.parameter("remotetimeout") == 2:
        gdb.execute("set remotetimeout 3600")


# Connecting ----------------------------------------------------------------------------------------------------------


class Connect(gdb.Command):
    """Connect to the Savepoint server at a unix socket ("savepoint gdb" does this by itself).
Usage: savepoint-connect SOCKET"""

    def __init__(self):
        super().__init__("savepoint-connect", gdb.COMMAND_RUNNING, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        follow_launcher()
        await_server()
        try:
            gdb.execute("target extended-remote " + argument, to_string=True)
        except gdb.error as error:
            # Without this `run` would start the program natively, where nothing of ours works.
            gdb.execute("set auto-connect-native-target off")
            raise gdb.GdbError("The debug server cannot be reached: %s" % error)
        session.adopt()


def await_server():
    """`savepoint gdb` starts its server and gdb at the same time, and writes to a pipe when the server listens; it closes the
    pipe without a word when it gives up."""
    pipe = os.environ.pop("SAVEPOINT_READY_FD", None)
    if pipe is not None:
        with open(int(pipe), "rb", buffering=0) as ready:
            ready.read(1)


def follow_launcher():
    """gdb ends with the `savepoint gdb` that started it, also when that is killed: no gdb is left at a dead prompt."""
    launcher = os.environ.get("SAVEPOINT_LAUNCHER_PID")
    if launcher is None:
        return
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if str(os.getppid()) != launcher:
        os.kill(os.getpid(), signal.SIGTERM)


def on_new_objfile(event):
    if session.installed and event.new_objfile.filename == gdb.current_progspace().filename and session.is_ours():
        session.tell_exec_file()


def on_prompt():
    session.adopt()
    bell.on_prompt()


session = Session()
gdb.execute("source " + os.path.join(os.path.dirname(os.path.abspath(__file__)), "bell.py"))
Connect()
# The program and its libraries are on this machine: read them here, not through the server.
if gdb.parameter("sysroot") == "target:":
    gdb.execute("set sysroot")
gdb.events.new_objfile.connect(on_new_objfile)
gdb.events.before_prompt.connect(on_prompt)
session.adopt()
