"""What stands on a terminal while a command runs on it.

	screen.py [--resize N ROWSxCOLUMNS]... ROWSxCOLUMNS COMMAND...

Runs COMMAND on a pseudo-terminal and prints the screen (and what has left it
at the top) whenever something arrives from it, trimmed, each time with a form
feed behind it.  After N times the terminal gets the new size, and breaks lines
that are too long for it, as most do.  Exits as COMMAND does; with 99 where it
sends what a terminal need not understand here.
"""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

SEQUENCE = re.compile(r"\x1b\[(\d*)([AKJ])")
SECONDS = 60


class Screen:
    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.lines = [""]  # of all times; the last rows of them are seen
        self.broken = [False]  # it goes on in the next one
        self.row = self.column = 0

    def top(self):
        return max(0, len(self.lines) - self.rows)

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")
            self.broken.append(False)

    def put(self, character):
        if self.column == self.columns:
            self.broken[self.row] = True
            self.down()
            self.column = 0
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
        self.column += 1

    def erase(self, below):
        self.lines[self.row] = self.lines[self.row][: self.column]
        self.broken[self.row] = False
        if below:
            for i in range(self.row + 1, len(self.lines)):
                self.lines[i], self.broken[i] = "", False

    def feed(self, text):
        """Returns what is no whole sequence yet."""
        i = 0
        while i < len(text):
            if text[i] == "\x1b":
                found = SEQUENCE.match(text, i)
                if not found and len(text) - i < 8:
                    return text[i:]
                if not found:
                    sys.exit(99)
                if found[2] == "A":
                    self.row = max(self.top(), self.row - int(found[1] or 1))
                else:
                    self.erase(found[2] == "J")
                i = found.end()
                continue
            if text[i] == "\r":
                self.column = 0
            elif text[i] == "\n":
                self.down()
            elif text[i] >= " ":
                self.put(text[i])
            else:
                sys.exit(99)
            i += 1
        return ""

    def resize(self, rows, columns):
        lines, broken, at = [], [], (0, 0)
        i = 0
        while i < len(self.lines):
            whole, cursor = "", None
            while True:
                if i == self.row:
                    cursor = len(whole) + self.column
                whole += self.lines[i]
                i += 1
                if not self.broken[i - 1] or i == len(self.lines):
                    break
            pieces = [whole[j : j + columns] for j in range(0, len(whole), columns)] or [""]
            if cursor is not None:
                row = min(cursor // columns, len(pieces) - 1)
                at = (len(lines) + row, cursor - row * columns)
            lines += pieces
            broken += [True] * (len(pieces) - 1) + [False]
        while len(lines) > at[0] + 1 and not lines[-1]:
            lines.pop()
            broken.pop()
        self.lines, self.broken = lines, broken
        self.row, self.column = at
        self.rows, self.columns = rows, columns

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n") + "\n"


def size_of(text):
    rows, columns = text.split("x")
    return int(rows), int(columns)


def set_size(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def watch(terminal, screen, resizes):
    rest, times, deadline = "", 0, time.monotonic() + SECONDS
    while select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            return
        if not data:
            return
        rest = screen.feed(rest + data.decode())
        print(screen.text() + "\f")
        times += 1
        if resizes and times == int(resizes[0][0]):
            rows, columns = size_of(resizes.pop(0)[1])
            screen.resize(rows, columns)
            set_size(terminal, rows, columns)


def main():
    arguments, resizes = sys.argv[1:], []
    while arguments[0] == "--resize":
        resizes.append(arguments[1:3])
        arguments = arguments[3:]
    rows, columns = size_of(arguments[0])
    pid, terminal = pty.fork()
    if pid == 0:
        set_size(2, rows, columns)
        os.execvpe(arguments[1], arguments[1:], dict(os.environ, TERM="xterm"))
    watch(terminal, Screen(rows, columns), resizes)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF)


main()
