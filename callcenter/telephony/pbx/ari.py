"""Asterisk 20 and 22 through its REST interface: httpx for the verbs, one websocket for the events.

What was measured on a live Asterisk 22.10.1 and is easy to get wrong:
- a call has two halves (`C` and `C;2` of a Local channel) and both report everything: only the
exact id is ours;
- events may be read before the answer of the request that caused them: ids are ours and registered
first;
- busy is told by Dial alone, a timeout by the cause alone (see `hangup.py`);
- the websocket forgets: what happened while it was down is never told, `snapshot()` is the only
remedy;
- 409 on a dial means 'accepted before', but also 'no such technology': only a look at the channel
tells them apart.
"""

import base64
import datetime as dt
import json
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from callcenter.telephony.pbx.base import (
    Answered,
    AnsweringMachine,
    ChannelGone,
    Clock,
    DialRequest,
    Digit,
    Ended,
    Incoming,
    Joined,
    Left,
    LinkDown,
    LinkUp,
    PbxError,
    PbxEvent,
    PbxMisconfigured,
    PbxRefused,
    PbxUnavailable,
    PbxUncertain,
    PlayEnded,
    Recorded,
    Replaced,
    Ringing,
    Snapshot,
    Sound,
    UnknownChannel,
)
from callcenter.telephony.pbx.hangup import how_it_ended
from callcenter.telephony.states import HangupReason

log = logging.getLogger(__name__)

NOISE = ("ChannelVarset", "ChannelDialplan", "ChannelCallerId", "ChannelConnectedLine")
RECORDER = "-rec"  # suffix of the snoop channel that records a leg
FALLBACK = "fallback"  # the dialplan's label for callers that we give back (docs/asterisk.md)


@dataclass
class _Leg:
    """What we remember of a channel between its events."""

    dial_status: str = ""
    ringing: bool = False
    answered: bool = False
    cancelled: bool = False
    listen: bool = False  # its answer is yet to be listened to


class Ari:
    def __init__(
        self,
        *,
        url: str,
        user: str,
        password: str,
        clock: Clock,
        app: str = "dozvon",
        amd: str = "",
        media: Callable[[Sound], str] = lambda sound: f"sound:{sound.path.with_suffix('')}",
        timeout: float = 6.0,
        backoff: tuple[float, float] = (1.0, 5.0),
    ) -> None:
        """`url` like http://pbx:8088; `media` turns a sound into a media URI; `timeout`, `backoff`
        in seconds.

        `amd`: the dialplan's context that tells a machine from a person (docs/asterisk.md); '' =
        nobody listens.
        """
        self._app, self._clock, self._media, self._backoff = app, clock, media, backoff
        self._amd = amd
        self._base = f"{url.rstrip('/')}/ari"
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}
        # Asterisk closes idle keep-alive connections after 15 s; ours end at 5 s (httpx's default),
        # before it does.
        self._http = httpx.Client(base_url=self._base, headers=self._headers, timeout=timeout)
        self._events: queue.SimpleQueue[PbxEvent] = queue.SimpleQueue()
        self._legs: dict[str, _Leg] = {}
        self._lock = threading.Lock()
        self._socket: ClientConnection | None = None
        self._closing = threading.Event()
        self._listener: threading.Thread | None = None

    # --- life

    def open(self) -> None:
        self._closing.clear()
        self._listener = threading.Thread(target=self._listen, name="ari-events", daemon=True)
        self._listener.start()

    def close(self) -> None:
        self._closing.set()
        if self._socket is not None:
            self._socket.close()
        if self._listener is not None:
            self._listener.join(5)
        self._http.close()

    def events(self, wait: float) -> list[PbxEvent]:
        found: list[PbxEvent] = []
        try:
            found.append(self._events.get(timeout=wait) if wait > 0 else self._events.get_nowait())
            while True:
                found.append(self._events.get_nowait())
        except queue.Empty:
            return found

    def snapshot(self) -> Snapshot:
        channels = self._ask("GET", "/channels").json()
        bridges = self._ask("GET", "/bridges").json()
        return Snapshot(
            channels={
                row["id"]: row["state"] == "Up"
                for row in channels
                if not self._is_shadow(row["id"])
            },
            bridges={
                row["id"]: frozenset(one for one in row["channels"] if not one.endswith(RECORDER))
                for row in bridges
            },
            callers=tuple(self._caller(row) for row in channels if self._is_caller(row)),
        )

    def _is_shadow(self, channel: str) -> bool:
        """The far half of a Local channel and our recorders live and die with the leg they belong
        to.
        """
        return channel.endswith((";2", RECORDER)) and channel not in self._legs

    def _is_caller(self, channel: dict[str, Any]) -> bool:
        """Whether the dialplan has put this channel into our application with `inbound`."""
        place = channel.get("dialplan", {})
        return place.get("app_name") == "Stasis" and str(place.get("app_data")).startswith(
            f"{self._app},inbound"
        )

    def _caller(self, channel: dict[str, Any]) -> Incoming:
        args = channel["dialplan"]["app_data"].split(",")
        return self._incoming(channel, args[1:], self._clock())

    def adopt(self, channels: Iterable[str], *, answered: Iterable[str] = ()) -> None:
        up = set(answered)
        with self._lock:
            for channel in channels:
                known = self._legs.setdefault(channel, _Leg())
                known.answered = known.answered or channel in up

    # --- verbs

    def ring(self, dial: DialRequest) -> None:
        with self._lock:
            self._legs.setdefault(dial.channel, _Leg(listen=dial.listen and bool(self._amd)))
        query: dict[str, str | int] = {
            "endpoint": dial.endpoint,
            "app": self._app,
            "appArgs": f"ours,{dial.label}" if dial.label else "ours",
            "timeout": dial.timeout,
            "formats": "slin",  # left alone, a Local channel takes 192 kHz
        }
        if dial.caller_id:
            query["callerId"] = dial.caller_id
        try:
            answer = self._send("POST", f"/channels/{quote(dial.channel)}", query)
        except PbxUncertain:
            if self._was_dialled(dial.channel):
                return
            raise
        except PbxUnavailable:
            self._forget(dial.channel)
            raise
        if answer.is_success:
            return
        if answer.status_code == 409 and self._was_dialled(dial.channel):
            return  # accepted the first time
        self._forget(dial.channel)
        if answer.status_code in (409, 500):
            raise PbxRefused(
                f"Астериск не смог набрать {dial.endpoint}: такого телефона нет или он не подключён"
                f" ({_words(answer)}).",
                end=HangupReason.UNREACHABLE,
            )
        raise PbxRefused(f"Астериск не принял звонок на {dial.endpoint}: {_words(answer)}.")

    def answer(self, channel: str) -> None:
        self._ask("POST", f"/channels/{quote(channel)}/answer")

    def return_to_dialplan(self, channel: str) -> None:
        """On at the label `fallback` of the extension it came from; without such a label the caller
        is let go.
        """
        answer = self._send("POST", f"/channels/{quote(channel)}/continue", {"label": FALLBACK})
        if answer.is_success:
            self._forget(channel)  # out of our application nothing more is told of it
            self._events.put(Ended(self._clock(), channel, HangupReason.PASSED_ON))
        else:
            if answer.status_code != 404:
                log.warning("no label %r for %s: %s", FALLBACK, channel, _words(answer))
            self.hang_up(channel)

    def play(self, channel: str, playback: str, sound: Sound) -> None:
        self._ask(
            "POST", f"/channels/{quote(channel)}/play/{playback}", {"media": self._media(sound)}
        )

    def stop_playing(self, playback: str) -> None:
        self._ask("DELETE", f"/playbacks/{playback}", absent_is_fine=True)

    def connect(self, bridge: str, channels: tuple[str, ...]) -> None:
        made = self._send("POST", f"/bridges/{quote(bridge)}", {"type": "mixing", "name": bridge})
        if not made.is_success and made.status_code != 409:  # 409: the bridge is there already
            raise PbxRefused(f"Астериск не создал мост: {_words(made)}.")
        added = self._send(
            "POST", f"/bridges/{quote(bridge)}/addChannel", {"channel": ",".join(channels)}
        )
        if added.status_code in (400, 404, 422):
            raise ChannelGone(f"Один из собеседников уже не на линии: {_words(added)}.")
        if not added.is_success:
            raise PbxRefused(f"Астериск не соединил: {_words(added)}.")

    def hang_up(self, channel: str) -> None:
        with self._lock:
            leg = self._legs.get(channel)
            if leg is not None and not leg.answered:
                leg.cancelled = True
        self._ask(
            "DELETE", f"/channels/{quote(channel)}", {"reason": "normal"}, absent_is_fine=True
        )

    def disconnect(self, bridge: str) -> None:
        self._ask("DELETE", f"/bridges/{quote(bridge)}", absent_is_fine=True)

    def record(self, channel: str, name: str) -> None:
        """A channel in a bridge cannot be recorded (409), so a snoop channel listens to what this
        leg says.

        The snoop enters Stasis a moment after the answer; until then its recording is refused with
        409.
        """
        snoop = f"{channel}{RECORDER}"
        made = self._send(
            "POST",
            f"/channels/{quote(channel)}/snoop/{quote(snoop)}",
            {"spy": "in", "app": self._app},
        )
        if made.status_code == 404:
            raise ChannelGone("Записывать некого: собеседник уже не на линии.")
        if not made.is_success and made.status_code != 409:
            raise PbxRefused(f"Астериск не начал запись: {_words(made)}.")
        wanted = {"name": name, "format": "wav", "ifExists": "overwrite"}
        for pause in (0.02, 0.05, 0.1, 0.2, 0.4, 0.0):
            answer = self._send("POST", f"/channels/{quote(snoop)}/record", wanted)
            if answer.is_success:
                return
            if answer.status_code not in (404, 409):
                break
            time.sleep(pause)
        raise PbxRefused(f"Астериск не начал запись: {_words(answer)}.")

    def recording(self, name: str) -> bytes:
        return self._ask("GET", f"/recordings/stored/{quote(name, safe='')}/file").content

    # --- HTTP

    def _send(self, method: str, path: str, query: dict[str, Any] | None = None) -> httpx.Response:
        """One request. Raises PbxUnavailable (surely not done), PbxUncertain (no answer),
        PbxMisconfigured (401, 403).
        """
        try:
            answer = self._http.request(method, path, params=query)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise PbxUnavailable(
                f"Астериск недоступен: {error or type(error).__name__}."
            ) from error
        except httpx.TransportError as error:
            raise PbxUncertain(f"Астериск не ответил: {error or type(error).__name__}.") from error
        if answer.status_code == 401:
            raise PbxMisconfigured(
                "Астериск не принял логин и пароль ARI: проверьте ARI_USER и ARI_PASSWORD."
            )
        if answer.status_code == 403:
            raise PbxMisconfigured(
                f"Пользователю ARI запрещено звонить ({_words(answer)}):"
                " уберите read_only в ari.conf."
            )
        if answer.status_code == 503:
            raise PbxUnavailable("Астериск останавливается или запускается.")
        return answer

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        *,
        absent_is_fine: bool = False,
    ) -> httpx.Response:
        answer = self._send(method, path, query)
        if answer.is_success or (absent_is_fine and answer.status_code == 404):
            return answer
        if answer.status_code in (404, 412):
            raise ChannelGone(f"Уже нет на линии: {_words(answer)}.")
        raise PbxRefused(f"Астериск отказал ({answer.status_code}): {_words(answer)}.")

    def _was_dialled(self, channel: str) -> bool:
        """Whether the exchange has spoken of this channel, has already told its end, or has it now.

        Raises PbxUncertain when it cannot be asked: to dial again would be to ring twice.
        """
        with self._lock:
            leg = self._legs.get(channel)
        if leg is None or leg.ringing or leg.answered or leg.dial_status:
            return True
        try:
            return self._send("GET", f"/channels/{quote(channel)}").is_success
        except PbxUnavailable as error:
            raise PbxUncertain(str(error)) from error

    def _forget(self, channel: str) -> None:
        with self._lock:
            self._legs.pop(channel, None)

    # --- websocket

    def _listen(self) -> None:
        """Keeps one websocket open until `close`, with a growing pause between tries: an Asterisk
        restarts for seconds.
        """
        address = f"{self._base.replace('http', 'ws', 1)}/events?{urlencode({'app': self._app})}"
        shortest, longest = self._backoff
        pause = shortest
        while not self._closing.is_set():
            try:
                with connect(
                    address,
                    additional_headers=self._headers,
                    open_timeout=10,
                    ping_interval=20,
                    max_size=None,
                ) as socket:
                    self._socket = socket
                    pause = shortest
                    self._quieten()
                    self._events.put(LinkUp(self._clock()))
                    if self._read(socket):
                        return
            except InvalidStatus as error:
                status = error.response.status_code
                why = (
                    "проверьте ARI_USER и ARI_PASSWORD"
                    if status == 401
                    else "проверьте ARI_APP и ari.conf"
                )
                self._events.put(
                    LinkDown(self._clock(), f"Астериск отказал в событиях ({status}): {why}.")
                )
            except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
                self._events.put(
                    LinkDown(
                        self._clock(), f"Нет связи с Астериском: {error or type(error).__name__}."
                    )
                )
            finally:
                self._socket = None
            # Spreads reconnects, nothing secret
            self._closing.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311
            pause = min(pause * 2, longest)

    def _read(self, socket: ClientConnection) -> bool:
        """Until the socket ends; True when there is nothing to come back for."""
        try:
            for message in socket:
                for event in self._read_event(message):
                    self._events.put(event)
                    if isinstance(event, Replaced):
                        return True
        except ConnectionClosed:
            pass  # told below in one way, however the socket ended
        if self._closing.is_set():
            return True
        self._events.put(LinkDown(self._clock(), "Связь с Астериском прервалась."))
        return False

    def _quieten(self) -> None:
        """Asks for no events that we never read. An Asterisk without event filters works all the
        same.
        """
        try:
            self._http.put(
                f"/applications/{self._app}/eventFilter",
                json={"disallowed": [{"type": name} for name in NOISE]},
            )
        except httpx.TransportError as error:
            log.info("event filter not set: %s", error)

    def _read_event(self, message: str | bytes) -> list[PbxEvent]:
        """One event that nobody understands must not make us deaf to the rest."""
        try:
            return self._events_of(json.loads(message))
        except (ValueError, KeyError, TypeError, AttributeError):
            log.exception("event not understood: %.500s", message)
            return []

    def _events_of(self, raw: dict[str, Any]) -> list[PbxEvent]:
        """The events in one event; unknown types and other channels' events hold none."""
        now = self._clock()
        kind = raw.get("type", "")
        if kind == "ApplicationReplaced":
            return [Replaced(now)]
        if kind == "PlaybackFinished":
            playback = raw[
                "playback"
            ]  # 'failed' = the file is absent or the peer hung up; cut by us is 'done'
            return [PlayEnded(now, playback["id"], playback.get("state") == "done")]
        if kind in ("RecordingFinished", "RecordingFailed"):
            recording = raw["recording"]
            seconds = float(recording.get("duration") or 0)
            return [Recorded(now, recording["name"], kind == "RecordingFinished", seconds)]
        channel = raw.get("peer") if kind == "Dial" else raw.get("channel")
        if not channel:
            return []
        name = channel["id"]
        with self._lock:
            leg = self._legs.get(name)
            if leg is None:
                way = (raw.get("args") or [""])[0] if kind == "StasisStart" else ""
                if way == "inbound":
                    self._legs[name] = _Leg(answered=True, ringing=True)
                    return [self._incoming(raw["channel"], raw["args"], now)]
                return [UnknownChannel(now, name)] if way == "ours" else []
            return self._leg_events(kind, raw, name, leg, now)

    def _leg_events(
        self, kind: str, raw: dict[str, Any], name: str, leg: _Leg, now: dt.datetime
    ) -> list[PbxEvent]:
        if kind == "Dial":
            leg.dial_status = raw.get("dialstatus") or leg.dial_status
            return self._rings(name, leg, now) if leg.dial_status == "RINGING" else []
        if kind == "ChannelStateChange":
            return self._rings(name, leg, now) if raw["channel"].get("state") == "Ringing" else []
        if kind == "StasisStart":
            args = raw.get("args") or []
            if leg.listen:
                leg.listen = False
                threading.Thread(
                    target=self._listen_to, args=(name,), name="ari-amd", daemon=True
                ).start()
                return []
            machine = args[:2] == ["amd", "MACHINE"]
            if leg.answered:
                return [AnsweringMachine(now, name)] if machine else []
            leg.answered = True
            return [Answered(now, name, machine)]
        if kind == "ChannelDtmfReceived":
            return [Digit(now, name, raw["digit"])]
        if kind == "ChannelEnteredBridge":
            return [Joined(now, raw["bridge"]["id"], name)]
        if kind == "ChannelLeftBridge":
            return [Left(now, raw["bridge"]["id"], name)]
        if kind == "ChannelDestroyed":
            del self._legs[name]
            cause = int(raw.get("cause") or 0)
            end = how_it_ended(
                answered=leg.answered,
                dial_status=leg.dial_status,
                cause=cause,
                cancelled=leg.cancelled,
            )
            return [Ended(now, name, end, cause, leg.dial_status)]
        return []

    def _listen_to(self, channel: str) -> None:
        """Sends an answered channel through the dialplan's AMD; it comes back with what was
        heard.
        """
        try:
            self._ask(
                "POST",
                f"/channels/{quote(channel)}/continue",
                {"context": self._amd, "extension": "s"},
            )
        except PbxError as error:
            log.warning("nobody listens to %s: %s", channel, error)
            with self._lock:
                leg = self._legs.get(channel)
                if leg is None or leg.answered:
                    return
                leg.answered = True
            self._events.put(Answered(self._clock(), channel))

    @staticmethod
    def _rings(name: str, leg: _Leg, now: dt.datetime) -> list[PbxEvent]:
        """Ringing is told twice (Dial and the channel's state); once is enough."""
        if leg.ringing or leg.answered:
            return []
        leg.ringing = True
        return [Ringing(now, name)]

    @staticmethod
    def _incoming(channel: dict[str, Any], args: list[str], now: dt.datetime) -> Incoming:
        """`Stasis(dozvon,inbound,${EXTEN})` of the dialplan: a call from outside."""
        line = args[1] if len(args) > 1 else channel.get("dialplan", {}).get("exten", "")
        return Incoming(now, channel["id"], channel.get("caller", {}).get("number", ""), line)


def _words(answer: httpx.Response) -> str:
    """The reason in Asterisk's words; some errors come as an HTML page, whose text says nothing."""
    try:
        said = answer.json()
        return str(said.get("message") or said["error"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"код {answer.status_code}"
