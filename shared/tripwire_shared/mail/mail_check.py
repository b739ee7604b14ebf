"""Reads a mail's bytes as others will, before they leave: only what was meant may stand in them.

It knows nothing of how they were written. Whatever a name, a setting or a mistake of ours puts into a mail, a mail that
reads otherwise than it was meant does not leave. Takes 0.03 ms.
"""

import base64
import binascii
import re

from tripwire_shared.mail.mail import Mail
from tripwire_shared.outbox.outcomes import FailedForGood

# Between any two of these a reader must not find another line than we do: no control character but CR, LF and tab.
_ALLOWED = bytes(range(0x20, 0x7F)) + b"\t\r\n"
# RFC 5322 2.1.1, without CRLF.
_LINE_AT_MOST = 998
# RFC 5321 4.5.3.1: a local part of 64 octets, a domain of 255.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})+")
_DATE = rb"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000"
_WORDS = re.compile(rb"=\?utf-8\?b\?([A-Za-z0-9+/=]+)\?=(?:\r\n )?")
_BREAK = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
_BOUNDARY = rb'"(?P<boundary>[=_a-z]+)"'
_HEAD = re.compile(
    rb"Subject: (?P<subject>[!-~](?:[^\r\n]|\r\n )*)\r\n"
    rb"From: (?:(?P<name>=\?utf-8\?b\?(?:[^\r\n]|\r\n =)*)\r\n <)?(?P<sender>[^\r\n<>]+)(?(name)>)\r\n"
    rb"To: (?P<recipient>[^\r\n]+)\r\n"
    rb"Date: " + _DATE + rb"\r\n"
    rb"Message-ID: <(?P<message_id>[a-z0-9-]+@[A-Za-z0-9_.-]+)>\r\n"
    rb"Auto-Submitted: auto-generated\r\n"
    rb"MIME-Version: 1\.0\r\n"
    rb"Content-Type: multipart/alternative; boundary=" + _BOUNDARY
)
_PART = b'Content-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable'


class _Unsafe(Exception):
    """What is wrong, in words without any of the mail's own."""


def checked_bytes(mail: Mail) -> bytes:
    """The mail as it may leave. Raises FailedForGood."""
    try:
        content = bytes(mail)
        _check(content, mail)
    except (_Unsafe, ValueError) as error:  # the latter: what cannot be written or read at all
        problem = str(error) if isinstance(error, _Unsafe) else "it cannot be encoded"
        raise FailedForGood(f"The mail was not sent, since its bytes are not what they should be: {problem}.") from None
    return content


def _check(content: bytes, mail: Mail) -> None:
    if content.translate(None, _ALLOWED):
        raise _Unsafe("it holds other characters than printable ASCII")
    lines = content.split(b"\r\n")
    if not content.count(b"\r") == content.count(b"\n") == len(lines) - 1:
        raise _Unsafe("it holds a bare CR or LF")
    if max(map(len, lines)) > _LINE_AT_MOST:
        raise _Unsafe("a line is too long")
    if not (_ADDRESS.fullmatch(mail.sender) and _ADDRESS.fullmatch(mail.recipient)):
        raise _Unsafe("sender or recipient is not one bare address")
    head, _, body = content.partition(b"\r\n\r\n")
    found = _HEAD.fullmatch(head)
    if found is None:
        raise _Unsafe("its headers are not ours alone")
    addresses = (found["sender"].decode(), found["recipient"].decode(), found["message_id"].decode())
    if addresses != (mail.sender, mail.recipient, mail.message_id):
        raise _Unsafe("a header names somebody else")
    if (_read_text(found["subject"]), _read_text(found["name"] or b"")) != (mail.subject, mail.sender_name):
        raise _Unsafe("its subject or its sender's name reads otherwise than it was meant")
    _check_parts(body, found["boundary"], mail)


def _read_text(value: bytes) -> str:
    if b"=?" not in value and b"\r" not in value:
        return value.decode()
    words = _WORDS.findall(value)
    if _WORDS.sub(b"", value) or not words:
        raise _Unsafe("a header has other lines than encoded words")
    text = b"".join(base64.b64decode(word, validate=True) for word in words).decode()
    # Some program on the way may write it anew, decoded.
    if _BREAK.search(text):
        raise _Unsafe("a header holds a line break or a control character")
    return text


def _check_parts(body: bytes, boundary: bytes, mail: Mail) -> None:
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(pieces) != 4 or pieces[0] or pieces[3] != b"--\r\n":
        raise _Unsafe("it has other parts than its text and its HTML")
    for piece, subtype, meant in ((pieces[1], b"plain", mail.text), (pieces[2], b"html", mail.html)):
        head, _, encoded = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if head != _PART % subtype:
            raise _Unsafe("a part has other headers than ours")
        if binascii.a2b_qp(encoded).replace(b"\r\n", b"\n") != _lines_as_sent(meant).encode():
            raise _Unsafe("a part reads otherwise than it was meant")


def _lines_as_sent(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
