"""Elements of arrays for the debug adapter. Loaded by dap.py, into one namespace with it.

MI shows an array's elements by a variable object each, and makes those of the whole array when the first is asked for. Here they are
read together and written as MI writes them; an array of anything that is not plain is left to MI (None).
"""

import gdb

PLAIN = (
    gdb.TYPE_CODE_INT,
    gdb.TYPE_CODE_CHAR,
    gdb.TYPE_CODE_BOOL,
    gdb.TYPE_CODE_FLT,
    gdb.TYPE_CODE_ENUM,
    gdb.TYPE_CODE_PTR,
)
READ_TOGETHER = 32768  # bytes; gdb reads no more than max-value-size (64 KiB) for one value


def list_elements(wanted):
    """The elements from..to of an array: {type, opens, values}. `opens`: each has something inside (a null pointer has not)."""
    thread, frame = gdb.selected_thread(), gdb.selected_frame()
    try:
        if "thread" in wanted:
            frame_at(wanted["thread"], wanted["frame"]).select()
        return elements_of(gdb.parse_and_eval(wanted["expression"]), wanted["from"], wanted["to"], wanted["hex"])
    finally:
        thread.switch()
        if frame.is_valid():
            frame.select()


def elements_of(array, start, end, is_hex):
    whole = array.type.strip_typedefs()
    if whole.code != gdb.TYPE_CODE_ARRAY or whole.range()[0] != 0:
        return None
    item = whole.target()
    bare = item.strip_typedefs()
    inner = bare.target().strip_typedefs() if bare.code in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_PTR) else None
    if bare.code in PLAIN:
        options = {"format": "x"} if is_hex else {}
    elif bare.code != gdb.TYPE_CODE_ARRAY or inner.sizeof == 1:  # text has more to it
        return None
    values = []
    end = min(end, whole.range()[1] + 1)
    for value in each_element(array, item, start, end, bare.code in PLAIN):
        if gdb.default_visualizer(value) is not None:
            return None
        values.append(value.format_string(**options) if bare.code in PLAIN else "[%d]" % (bare.range()[1] + 1))
    return {"type": str(item), "opens": has_inside(bare, inner), "values": values}


def each_element(array, item, start, end, is_read):
    """`is_read`: their values are wanted; what is in memory is then fetched piece by piece."""
    step = max(1, READ_TOGETHER // max(1, item.sizeof))
    for first in range(start, end, step):
        last = min(end, first + step) - 1
        if array.address is None:
            yield from (array[index] for index in range(first, last + 1))
            continue
        piece = (array.address.cast(item.pointer()) + first).cast(item.array(last - first).pointer()).dereference()
        if is_read:
            piece.fetch_lazy()
        yield from (piece[index] for index in range(last - first + 1))


def has_inside(bare, inner):
    if bare.code == gdb.TYPE_CODE_PTR:
        if inner.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            return len(inner.fields()) > 0
        return inner.code not in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_VOID)
    return bare.code == gdb.TYPE_CODE_ARRAY
