"""What the debug adapter (adapter/) wants of gdb and MI cannot say: log points, and hit conditions other than "from the Nth on".

They are breakpoints whose `stop` method decides inside gdb, so a step that passes one goes on, and nothing crosses the MI pipe but
a log point's text. That text is one console record: the mark, a JSON object, a newline.
"""

import json

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
        text = "".join(show(text) if is_expression else text for is_expression, text in self.message)
        line = gdb.selected_frame().find_sal()
        place = {"source": line.symtab.fullname(), "line": line.line} if line.symtab else {}
        gdb.write(MARK + json.dumps({"log": text, **place}) + "\n")
        return False


class Break(gdb.Command):
    """Set a breakpoint of the debug adapter: hexadecimal JSON with file and line (or function, or address), condition, compare and count, log."""

    def __init__(self):
        super().__init__("savepoint-break", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        wanted = json.loads(bytes.fromhex(argument))
        if wanted.get("condition"):
            # A condition that cannot be read is told now. Names may be unknown until the place is reached.
            try:
                gdb.parse_and_eval(wanted["condition"])
            except gdb.error as error:
                if "syntax error" in str(error):
                    raise gdb.GdbError(str(error))
        breakpoint = ScriptedBreakpoint(wanted)
        gdb.write("%s%d\n" % (MARK, breakpoint.number))


Break()
