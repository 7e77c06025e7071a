"""Restores that other clients of the server ask for, while gdb stands at its prompt. Loaded by savepoint.py, whose names it finds in __main__."""

import __main__ as savepoint
import _thread
import json
import signal
import socket

import gdb


class Bell:
    """A thread that waits for the server's bell, and has gdb go where another client wants the program to be.

    gdb cannot be told of a stop that it did not wait for, so the server rings and gdb resumes as if its user had typed "restart N". While the
    program runs nothing rings: then the server has a stop to answer with.

    An event that gdb has not got round to when it ends crashes it (gdb 13: the event lets go of its function after Python is gone). So none
    is posted before gdb waits for input: `-ex` commands and `quit` may come first. MI has no prompt to tell of it, and waits at once.
    """

    def __init__(self):
        self.heard = set()  # connection numbers
        self.rung = False
        self.gdb_waits = savepoint.speaks_mi()

    def on_prompt(self):
        self.gdb_waits = True
        if self.rung:
            gdb.post_event(self.answer)

    def listen(self, connection):
        if connection in self.heard:
            return
        self.heard.add(connection)
        try:
            path = json.loads(savepoint.monitor("bell"))["bell"]
            if path is None:
                return
            line = socket.socket(socket.AF_UNIX)
            line.connect(path)
        except (OSError, gdb.error, ValueError, KeyError):
            return  # a server on another machine, or an old one
        # gdb's signals are for gdb's own thread.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            _thread.start_new_thread(self.wait, (line,))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def wait(self, line):
        while line.recv(64):
            self.rung = True
            if self.gdb_waits:
                gdb.post_event(self.answer)
        line.close()

    def answer(self):
        """In gdb's own thread, between two commands."""
        if not self.rung:
            return
        self.rung = False
        try:
            if savepoint.is_running() or not savepoint.session.is_ours():
                return  # the server answers the resume with the restore
            number = json.loads(savepoint.monitor("wanted")).get("restore")
            if number is None:
                return
            if savepoint.is_plain_console():
                gdb.write("\n")
            savepoint.Return(number, self.prompt).start()
        except (gdb.error, gdb.GdbError, ValueError) as error:
            gdb.write("%s\n" % error, gdb.STDERR)
            self.prompt()

    def prompt(self):
        """gdb has shown its prompt already, before all this."""
        if savepoint.is_plain_console():
            gdb.write(gdb.parameter("prompt"))
            gdb.flush()


bell = Bell()
