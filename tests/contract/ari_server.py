"""The stand-in Asterisk behind real HTTP and a real websocket: who may ask, how answers look, what
a cut line does.

What it does with calls stands in `stand_in.py`.

    with running(speed=20) as handle:  Ari(url=handle.server.url, …)

Runs in a thread of its own, or as a process of its own for the fault tests: python -m
tests.contract.ari_server PORT SPEED
"""

import asyncio
import base64
import contextlib
import json
import sys
import threading
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from websockets.protocol import State
from websockets.server import ServerProtocol

from tests.contract.stand_in import Event, Refusal, StandIn

USER, PASSWORD, READER = "dozvon", "secret", "reader"


class AriServer:
    def __init__(self, exchange: StandIn) -> None:
        self.exchange = exchange
        self.port = 0
        self.swallow_answers = 0  # so many requests are carried out and never answered
        self.stopping = False
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._sockets: set[Socket] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- life

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go_away(self) -> None:
        """The network is cut: connections break without a word; channels live on."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._connections):
            writer.transport.abort()
        self.exchange.listeners.clear()

    async def come_back(self) -> None:
        await self.start(self.port)

    def drop_websockets(self) -> None:
        for socket in list(self._sockets):
            socket.writer.transport.abort()
        self.exchange.listeners.clear()

    # --- HTTP and websocket
    # ------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        if int(headers.get("content-length", 0)):
            await reader.readexactly(int(headers["content-length"]))
        path, _, raw = target.partition("?")
        query = dict(urllib.parse.parse_qsl(raw))
        if headers.get("upgrade", "").lower() == "websocket":
            await self._websocket(head, headers, query, reader, writer)
            return False
        status, body = self._answer_to(method, path, query, headers)
        if self.swallow_answers:
            self.swallow_answers -= 1
            writer.transport.abort()
            return False
        await asyncio.sleep(0)
        writer.write(_response(status, body))
        await writer.drain()
        return True

    def _answer_to(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str]
    ) -> tuple[int, Any]:
        try:
            user = self._user(headers)
            if self.stopping:
                raise Refusal(503, "Service Unavailable", html=True)
            if user == READER and method != "GET":
                raise Refusal(403, "Write access denied")
            return self.exchange.handle(method, path, query)
        except Refusal as refusal:
            key = "error" if refusal.status == 500 else "message"  # as measured
            return refusal.status, f"<html>{refusal}</html>" if refusal.html else {
                key: str(refusal)
            }

    @staticmethod
    def _user(headers: dict[str, str]) -> str:
        kind, _, token = headers.get("authorization", "").partition(" ")
        user, _, password = (
            base64.b64decode(token).decode().partition(":") if kind == "Basic" else ("", "", "")
        )
        if user not in (USER, READER) or password != PASSWORD:
            raise Refusal(401, "Authentication required")
        return user

    async def _websocket(
        self,
        head: bytes,
        headers: dict[str, str],
        query: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        refused = 0
        try:
            self._user(headers)
        except Refusal:
            refused = 401
        app = query.get("app", "")
        protocol = ServerProtocol()
        protocol.receive_data(head)
        request = protocol.events_received()[0]
        if refused or not app:
            protocol.send_response(protocol.reject(HTTPStatus(refused or 400), "<html>no</html>"))
            writer.write(b"".join(protocol.data_to_send()))
            return
        protocol.send_response(protocol.accept(request))  # type: ignore[arg-type]
        socket = Socket(protocol, writer)
        socket.flush()
        former = self.exchange.listeners.get(app)
        self.exchange.listeners[app] = socket
        self._sockets.add(socket)
        if former is not None:
            former.send({"type": "ApplicationReplaced", "application": app})
        try:
            while protocol.state is State.OPEN and (data := await reader.read(65536)):
                protocol.receive_data(data)
                protocol.events_received()
                socket.flush()
        finally:
            self._sockets.discard(socket)
            if self.exchange.listeners.get(app) is socket:
                del self.exchange.listeners[app]


@dataclass(eq=False)
class Socket:
    protocol: ServerProtocol
    writer: asyncio.StreamWriter

    def send(self, event: Event) -> None:
        if self.protocol.state is State.OPEN:
            self.protocol.send_text(json.dumps(event).encode())
            self.flush()

    def flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self.writer.write(data)


def _response(status: int, body: Any) -> bytes:
    if isinstance(body, bytes):
        kind, content = "audio/wav", body
    elif isinstance(body, str):
        kind, content = "text/html", body.encode()
    else:
        kind, content = "application/json", b"" if body is None else json.dumps(body).encode()
    phrase = HTTPStatus(status).phrase
    return (
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content


class Threaded:
    """The server in a thread; `do` runs something in it and waits."""

    def __init__(self, server: AriServer, loop: asyncio.AbstractEventLoop) -> None:
        self.server, self.exchange, self.loop = server, server.exchange, loop

    def do(self, deed: Callable[[], Any]) -> Any:
        async def run() -> Any:
            result = deed()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)


@contextlib.contextmanager
def running(*, speed: float = 1.0, late_answers: bool = False) -> Iterator[Threaded]:
    server = AriServer(StandIn(speed=speed, late_answers=late_answers))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    handle = Threaded(server, loop)
    handle.do(server.start)
    try:
        yield handle
    finally:
        handle.do(server.go_away)
        handle.do(_drain)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _drain() -> None:
    """Everything still waiting is called off, so that the loop closes without complaint."""
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextlib.asynccontextmanager
async def _process(port: int, speed: float) -> AsyncIterator[AriServer]:
    server = AriServer(StandIn(speed=speed))
    await server.start(port)
    yield server


async def main(port: int, speed: float) -> None:
    async with _process(port, speed) as server:
        print(server.port, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
