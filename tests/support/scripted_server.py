"""Run as a program: an HTTP server told by its input, a word a line, what to do next; it says what happened.

``accept`` takes a connection, ``read`` a whole request from it, ``answer`` sends one, ``half`` a part of it.
"""

import socket
import sys

ANSWER = b'HTTP/1.1 202 Accepted\r\ncontent-length: 23\r\n\r\n{"executionId":"UMA-1"}'


def main() -> None:
    """Do as told until the input ends."""
    listening = socket.create_server((sys.argv[1], int(sys.argv[2])))
    _say("ready")
    connection = listening
    for line in sys.stdin:
        match line.strip():
            case "accept":
                connection, _ = listening.accept()
            case "read":
                request = b""
                while not _whole(request):
                    request += connection.recv(65_536)
            case "answer":
                connection.sendall(ANSWER)
            case "half":
                connection.sendall(ANSWER[:-5])
        _say(line.strip())


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _whole(request: bytes) -> bool:
    head, separator, body = request.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return bool(separator) and len(body) >= length


if __name__ == "__main__":
    main()
