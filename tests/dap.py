"""An editor's side of the Debug Adapter Protocol: as much of it as starts a program, stops in it and looks about."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import subprocess
import sys
import threading

PATIENCE = 15


class Conversation:
    """One debugged process: requests with their answers, and the events that came."""

    def __init__(self, reader, writer, hang_up):
        self.events = []
        self._answers = {}
        self._numbers = itertools.count(1)
        self._news = threading.Condition()
        self._reader, self._writer, self._hang_up = reader, writer, hang_up
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def request(self, command, **arguments):
        """Ask, and return the body of the answer."""
        return self.answer(self.ask(command, **arguments))

    def ask(self, command, **arguments):
        """Ask, and return the number of the question."""
        number = next(self._numbers)
        message = {"seq": number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._writer.flush()
        return number

    def answer(self, number):
        """Wait for the answer to a question; returns its body."""
        self._wait(lambda: number in self._answers, "no answer")
        found = self._answers[number]
        assert found["success"], found
        return found.get("body", {})

    def event(self, name, nth=1):
        """Wait for the nth event of this name; returns its body."""

        def found():
            return [each["body"] for each in self.events if each["event"] == name][nth - 1 :]

        self._wait(found, f"no {name}")
        return found()[0]

    @property
    def output(self):
        """What the program has printed so far."""
        told = [each["body"] for each in self.events if each["event"] == "output"]
        return "".join(each["output"] for each in told if each.get("category") in ("stdout", "stderr"))

    def see(self, words):
        """Wait until the program prints something; returns all that it has printed."""
        self._wait(lambda: words in self.output, f"no {words!r}")
        return self.output

    def close(self):
        self._hang_up()
        self._thread.join(PATIENCE)
        self._writer.close()
        self._reader.close()

    def _wait(self, is_so, what):
        with self._news:
            there = self._news.wait_for(is_so, PATIENCE)
        assert there, f"{what}: {self.events}"

    def _read(self):
        while message := self._message():
            with self._news:
                if message["type"] == "event":
                    self.events.append({"body": {}, **message})
                elif message["type"] == "response":
                    self._answers[message["request_seq"]] = message
                self._news.notify_all()

    def _message(self):
        """The next message; None at the end of them."""
        length = 0
        try:
            while line := self._reader.readline().strip():
                length = int(line.rpartition(b":")[2])
            return json.loads(self._reader.read(length)) if length else None
        except (OSError, ValueError):
            return None


class Editor:
    """Launches a program under the debugger and follows it into the processes it starts, as VS Code does."""

    def __init__(self, breakpoints):
        self._breakpoints = breakpoints
        self._followed = []

    def __enter__(self):
        command = [sys.executable, "-m", "debugpy.adapter"]
        self._adapter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.main = Conversation(self._adapter.stdout, self._adapter.stdin, self._adapter.stdin.close)
        return self

    def __exit__(self, *exception):
        self.main.request("disconnect", terminateDebuggee=True)
        for conversation in (*self._followed, self.main):
            conversation.close()
        self._adapter.wait(PATIENCE)

    def launch(self, **configuration):
        """Start the program of a launch configuration."""
        self._begin(self.main, "launch", {**configuration, "console": "internalConsole"})

    def follow(self, nth=1):
        """Attach to the nth process that the program has started; returns the conversation with it."""
        told = self.main.event("debugpyAttach", nth)
        connection = socket.create_connection((told["connect"]["host"], told["connect"]["port"]))
        reader, writer = connection.makefile("rb"), connection.makefile("wb")
        found = Conversation(reader, writer, lambda: _hang_up(connection))
        self._followed.append(found)
        self._begin(found, "attach", told)
        return found

    def _begin(self, conversation, how, configuration):
        conversation.request("initialize", clientID="test", adapterID="debugpy")
        begun = conversation.ask(how, **configuration)
        conversation.event("initialized")
        for path, lines in self._breakpoints.items():
            wanted = [{"line": line} for line in lines]
            conversation.request("setBreakpoints", source={"path": str(path)}, breakpoints=wanted)
        conversation.request("configurationDone")
        conversation.answer(begun)


def _hang_up(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
