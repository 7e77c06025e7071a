/** What `--help` prints. Texts only; kept beside the table of subcommands in cli.ts. */

export const mainHelp = `Usage: savepoint COMMAND [ARGUMENTS]

Checkpoints for native Linux programs under gdb: all threads, same process,
restored in place, and the program goes on live from there.

  gdb        an ordinary gdb with working checkpoints
               savepoint gdb ./program
               savepoint gdb --args ./program a b
               savepoint gdb -p PID
  gdbserver  the same behind gdbserver's command line, for front ends
               savepoint gdbserver :2345 ./program
               savepoint gdbserver --multi /tmp/debug.sock
  dap        a debug adapter for editors (Debug Adapter Protocol)
  doctor     what this machine offers, and what follows from it (--json)

Beside a debugger, from another terminal or a script:
  list-sessions   the debug sessions that are running
  checkpoint      take a checkpoint, also of a running program
  list            list checkpoints
  restore ID      go back; the debugger sees an ordinary stop
  drop ID...      forget
  rename ID LABEL
  compare ID [ID] what differs between a checkpoint and now, or another
  preflight       can one be taken now, and what would it not bring back?
  watch           show changes as they happen

  help       this text, or that of a command: savepoint help gdb
  version    the version (also --version)

In gdb:
  checkpoint [LABEL]      save the program's state
  info checkpoints        list what was saved
  restart N               go back to checkpoint N, also after exit or crash
  delete checkpoint N...  forget`;

export const gdbHelp = `Usage: savepoint gdb [GDB OPTIONS] [PROGRAM [PID]]
       savepoint gdb [GDB OPTIONS] --args PROGRAM [ARGUMENTS]

Starts the system's gdb. "run", "start" and "attach" work as always, but the
program is run by Savepoint, which adds:

  checkpoint [LABEL]      save memory, registers, signals and open files of
                          all threads; the program stays where it is
  info checkpoints        list what was saved
  restart N               go back, in the same process: same process id,
                          same thread ids, breakpoints and watchpoints kept.
                          Works after the program has exited or crashed.
  delete checkpoint N...  forget checkpoints
  $_checkpoint            number of the checkpoint last taken or gone back to

All options are gdb's, but for --listen HOST:PORT and --allow-origin ORIGIN:
they offer the control surface (savepoint list, restore...) on TCP as well,
with a token, and to pages of that origin. A core file, --version and --configuration go to gdb
alone. --tty names the terminal of the program.

Environment:
  SAVEPOINT_GDB    the gdb to start, if not the one in PATH
  SAVEPOINT_TRACE  what to trace: rsp, state, checkpoint, control, or all`;

export const gdbserverHelp = `Usage: savepoint gdbserver [OPTIONS] COMM PROGRAM [ARGUMENTS]
       savepoint gdbserver [OPTIONS] --attach COMM PID
       savepoint gdbserver [OPTIONS] --multi COMM

A drop-in for gdbserver on the same machine. gdb or a front end connects with
"target remote COMM" (or extended-remote).

COMM:
  HOST:PORT, :PORT   TCP; port 0 takes a free one and prints it
  PATH               a unix socket (has a "/" in it, or begins with "unix:")
  -, stdio           standard input and output

Options:
  --attach                      attach to a running process
  --multi                       stay for further connections; PROGRAM optional
  --once                        end after the first connection
  --wrapper WORDS --            put WORDS before the program
  --debug                       trace to standard error
  --listen HOST:PORT            offer the control surface (savepoint list,
                                restore...) on TCP as well, with a token
  --allow-origin ORIGIN         and to browsers' pages of that origin
  --[no-]disable-randomization  address space randomization of PROGRAM
  --[no-]startup-with-shell     accepted; gdb says it for each run of its own
  --version, --help

In gdb, "monitor checkpoint [LABEL]", "monitor info checkpoints",
"monitor restart N" followed by "continue", and "monitor delete checkpoint N".
With "source SAVEPOINT.PY" (savepoint doctor prints where it is) these become
"checkpoint", "info checkpoints", "restart N" and "delete checkpoint N".`;

export const dapHelp = `Usage: savepoint dap [-ex COMMAND]...
       savepoint dap --socket PATH
       savepoint dap --port N
       savepoint -i=dap

A debug adapter: editors that speak the Debug Adapter Protocol start it and
talk to it on standard input and output. With --socket or --port it serves a
session for each connection: on a unix socket (mode 0600), or on 127.0.0.1,
where the first line of a connection must be the token that is printed when
the server is ready (--port 0 takes a free port).

Checkpoints are the custom requests checkpoint/take, checkpoint/list,
checkpoint/restore, checkpoint/drop, checkpoint/rename, checkpoint/preflight,
checkpoint/compare and the event checkpoint/changed; Step Back goes to the
previous stop, Reverse to the previous checkpoint.

-ex COMMAND (--eval-command) is a command of gdb's for the beginning of each
session. "savepoint -i=dap" is for editors that know gdb's own adapter: name
savepoint where gdb was named. -q, -iex, --interpreter=dap mean what they do in
gdb.

SAVEPOINT_TRACE=dap,mi writes what is said to standard error, or to the file
that SAVEPOINT_TRACE_FILE names. docs/debug-adapter.md has all properties of
launch and attach.`;

export const doctorHelp = `Usage: savepoint doctor [--json]

Tries what Savepoint needs of the kernel and of gdb, and prints what works and
what follows. Nothing is changed. The exit status is 1 when debugging with
checkpoints will not work here.`;
