"""Runs a command on a terminal of its own and answers its question.

Arguments: the last words of the question, the answer, then the command. Prints JSON: its exit code, and what it showed.
"""

import json
import os
import pty
import sys


def main() -> None:
    question, answer, *command = sys.argv[1:]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    shown, asked = b"", False
    while True:
        try:
            more = os.read(terminal, 65_536)
        except OSError:
            break  # Linux says so once the other end is closed.
        if not more:
            break
        shown += more
        if not asked and shown.rstrip().endswith(question.encode()):
            asked = True
            os.write(terminal, answer.encode() + b"\n")
    _, status = os.waitpid(child, 0)
    print(json.dumps({"code": os.waitstatus_to_exitcode(status), "asked": asked, "shown": shown.decode()}))


main()
