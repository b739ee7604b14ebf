"""What a mail server says: its answers one after another, each whole, and what of them may be shown.

The library reads through a file, which is of no more use after a time-out, and takes as many lines as come. Here a
time-out loses nothing: whoever asks again goes on in the middle of the answer.
"""

import re
import time
from socket import socket

from tripwire_shared.alerts.alert import mask

# All lines of one answer; servers that offer much say a kilobyte.
_ANSWER_AT_MOST = 64 * 1024
_SHOWN_AT_MOST = 300
# Setting a socket's time-out costs a system call: not for so little.
_ABOUT = 0.1
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3}) ")
# Not the code of any answer: what was said is none.
GARBLED = -1


class SmtpAnswers:
    """Those that come on one socket. For one thread at a time."""

    def __init__(self, heard_on: socket) -> None:
        self.heard_on = heard_on
        self._unread, self._lines, self._size = b"", list[bytes](), 0

    def next(self, until: float) -> tuple[int, bytes]:
        """Code and text of the next answer, the lines of the text with LF between them.

        Raises TimeoutError at `until` (of `time.monotonic()`), OSError where the connection is over.
        """
        while True:
            line, ended, rest = self._unread.partition(b"\n")
            if not ended:
                self._read(until)
                continue
            self._unread = rest
            self._lines.append(line[4:].strip())
            code = int(line[:3]) if line[:3].isdigit() else GARBLED
            if line[3:4] != b"-" or code == GARBLED:
                text = b"\n".join(self._lines)
                self._lines, self._size = [], 0
                return code, text

    def _read(self, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer")
        usual = self.heard_on.gettimeout() or left
        if left < usual - _ABOUT:
            self.heard_on.settimeout(left)
        try:
            more = self.heard_on.recv(4096)
        finally:
            if left < usual - _ABOUT:
                self.heard_on.settimeout(usual)
        if not more:
            raise ConnectionError("closed by the mail server")
        self._unread += more
        self._size += len(more)
        if self._size > _ANSWER_AT_MOST:
            raise ConnectionError("the mail server does not end its answer")


def shown(code: int, text: bytes, recipient: str) -> str:
    """An answer on one line, for the admin: without addresses, without the recipient's name, of bounded length."""
    lines = text.decode(errors="replace").splitlines() or [""]
    enhanced = _ENHANCED.match(lines[0])
    if enhanced:  # servers put it on each line
        lines[1:] = [line.removeprefix(enhanced[0]) for line in lines[1:]]
    printable = "".join(character if character.isprintable() else " " for character in " ".join(lines))
    local = re.escape(recipient.rpartition("@")[0])
    masked = re.sub(rf"(?<!\w){local}(?![\w@])", "…", mask(" ".join(printable.split())), flags=re.IGNORECASE)
    return f"{code} {masked[:_SHOWN_AT_MOST]}".rstrip()
