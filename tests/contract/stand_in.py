"""What a stand-in Asterisk does with calls: replays what was measured on 22.10.1. It knows nothing
of HTTP and sockets.

It is a script, not a telephone exchange: each extension of its dialplan is a list of events with
their moments, for both halves of a Local channel, in the measured words. `late_answers=True` sends
the events of a request before its HTTP answer, as the real one does in a third of the calls. Time
runs `speed` times faster than in the measurements.

`ari_server.py` puts it behind real HTTP and a real websocket.
"""

import asyncio
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

Event = dict[str, Any]


class Listener(Protocol):
    """Whoever has asked for an application's events."""

    def send(self, event: Event) -> None: ...


@dataclass(frozen=True)
class Way:
    """What an extension does, by the measured rows; seconds after the dial (or, once answered,
    after the answer).
    """

    rings: bool = False
    answers: float | None = None
    hangs_up: float | None = None
    digits: tuple[tuple[float, str], ...] = ()
    dial: str = ""  # the Dial status of an end without an answer
    ends: float = 0.0
    cause: int = 16
    far_cause: int = 16
    exists: bool = True
    machine: bool = False


NEVER = 1e9
DIALPLAN: dict[str, Way] = {
    "admin": Way(answers=0.0, digits=((1.7, "1"),), hangs_up=22.0),
    "admin_thorough": Way(rings=True, answers=2.0, digits=((2.0, "1"),)),
    "admin_patient": Way(answers=0.0, digits=((1.7, "1"),)),  # hangs up when he is let go
    "patient_longest": Way(answers=0.0),
    "admin_mute": Way(rings=True, answers=1.0),
    "admin_busy": Way(dial="BUSY", cause=0, far_cause=17),
    "admin_ring_busy": Way(rings=True, dial="BUSY", ends=2.0, cause=0, far_cause=17),
    "admin_hangup17": Way(dial="BUSY", cause=17, far_cause=17),
    "admin_noanswer": Way(rings=True, ends=NEVER),
    "admin_silent": Way(ends=NEVER),
    "admin_hangup": Way(answers=0.0, hangs_up=1.5),
    "admin_reject": Way(dial="NOANSWER", cause=21, far_cause=21),
    "admin_congestion": Way(dial="CONGESTION", cause=0, far_cause=34),
    "admin_callee_gives_up": Way(rings=True, dial="NOANSWER", ends=2.0),
    "patient": Way(answers=0.0, hangs_up=15.5),
    "patient_long": Way(rings=True, answers=1.0, hangs_up=60.0),
    "patient_machine": Way(answers=0.0, hangs_up=22.0, machine=True),
    "patient_short": Way(answers=0.0, hangs_up=4.6),
    "patient_busy": Way(dial="BUSY", cause=0, far_cause=17),
    "patient_noanswer": Way(rings=True, ends=NEVER),
}


@dataclass
class Channel:
    id: str
    way: Way
    exten: str
    app: str
    args: list[str]
    state: str = "Down"
    bridge: str = ""
    in_stasis: bool = False
    snoop_of: str = ""
    recording: str = ""
    caller: str = ""
    app_data: str = ""
    playbacks: list[str] = field(default_factory=list)

    @property
    def json(self) -> Event:
        name = f"Local/{self.exten}@peers-00000001;{'2' if self.id.endswith(';2') else '1'}"
        shown = {
            "id": self.id,
            "name": name,
            "state": self.state,
            "caller": {"name": "", "number": self.caller},
        }
        place = {
            "context": "from-trunk",
            "app_name": "Stasis" if self.in_stasis else "",
            "app_data": self.app_data,
        }
        return {**shown, "dialplan": place}


class Refusal(Exception):
    def __init__(self, status: int, message: str, *, html: bool = False) -> None:
        super().__init__(message)
        self.status, self.html = status, html


class StandIn:
    """The channels, bridges and sounds of one exchange. Lives in one event loop."""

    def __init__(self, *, speed: float = 1.0, late_answers: bool = False) -> None:
        self.speed, self.late_answers = speed, late_answers
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, list[str]] = {}
        self.dials: list[str] = []  # every channel that was really dialled
        self.formats: list[str] = []
        self.stored: dict[str, bytes] = {}
        self.allocation_fails = False
        self.label = "fallback"  # the label that its dialplan has
        self.listens = "listen"  # the context that runs AMD()
        self.listeners: dict[str, Listener] = {}  # by application
        self._tasks: set[asyncio.Task[None]] = set()

    def die(self) -> None:
        """Every call is gone, as after kill -9 of the exchange."""
        self.channels.clear()
        self.bridges.clear()

    # --- events

    def tell(self, app: str, kind: str, **fields: Any) -> None:
        """To the app's listener; without one the event is lost, as with the real server."""
        listener = self.listeners.get(app)
        if listener is not None:
            stamp = {
                "timestamp": "2026-03-18T12:00:00.123+0300",
                "application": app,
                "asterisk_id": "stand-in",
            }
            listener.send({"type": kind, **stamp, **fields})

    def both(self, channel: Channel, kind: str, **fields: Any) -> None:
        """Of our half, with the noise that comes along."""
        self.tell(channel.app, "ChannelVarset", channel=channel.json, variable="X", value="1")
        self.tell(channel.app, kind, channel=channel.json, **fields)

    def later(self, seconds: float, deed: Callable[[], None]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds / self.speed)
            deed()

        task = asyncio.get_running_loop().create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- a call

    def _dial(self, channel: Channel, timeout: float) -> None:
        way, app = channel.way, channel.app
        far = Channel(channel.id + ";2", way, channel.exten, app, [])
        self.tell(app, "ChannelCreated", channel=channel.json)
        self.tell(app, "ChannelCreated", channel=far.json)
        if not way.exists:
            self._destroy(channel, far, 0, 0)
            return
        self.tell(
            app, "Dial", dialstatus="", dialstring=f"{channel.exten}@peers", peer=channel.json
        )
        if way.rings:
            channel.state = "Ringing"
            self.both(channel, "ChannelStateChange")
            self.tell(app, "Dial", dialstatus="RINGING", peer=channel.json)
        if way.answers is not None:
            if way.answers:
                self.later(way.answers, lambda: self._answer(channel, far))
            else:
                self._answer(channel, far)
        elif way.ends < timeout:
            if way.ends:
                self.later(way.ends, lambda: self._unanswered(channel, far))
            else:
                self._unanswered(channel, far)
        else:
            self.later(timeout, lambda: self._timed_out(channel, far))

    def _answer(self, channel: Channel, far: Channel) -> None:
        if channel.id not in self.channels or channel.in_stasis:
            return
        if (
            channel.app not in self.listeners
        ):  # an app that nobody listens to: the call is hung up at once
            self._destroy(channel, far, 0, 0)
            return
        channel.state = far.state = "Up"
        channel.in_stasis = True
        self.both(far, "ChannelStateChange")
        self.both(channel, "ChannelStateChange")
        self.tell(channel.app, "Dial", dialstatus="ANSWER", peer=channel.json)
        self.both(channel, "StasisStart", args=channel.args)
        for after, digit in channel.way.digits:
            self.later(after, lambda digit=digit: self.press(channel, digit))  # type: ignore[misc]
        if channel.way.hangs_up is not None:
            self.later(channel.way.hangs_up, lambda: self.end(channel.id, 16))

    def press(self, channel: Channel, digit: str) -> None:
        if channel.id not in self.channels:
            return
        self.both(channel, "ChannelDtmfReceived", digit=digit, duration_ms=100)
        for other in self.bridges.get(channel.bridge, []):
            if other != channel.id:  # in a bridge the digit passes on: to the other leg's far half
                far = Channel(other + ";2", channel.way, "x", channel.app, [])
                self.tell(
                    channel.app,
                    "ChannelDtmfReceived",
                    channel=far.json,
                    digit=digit,
                    duration_ms=100,
                )

    def _unanswered(self, channel: Channel, far: Channel) -> None:
        if channel.id in self.channels:
            self.tell(channel.app, "Dial", dialstatus=channel.way.dial, peer=channel.json)
            self._destroy(channel, far, channel.way.cause, channel.way.far_cause)

    def _timed_out(self, channel: Channel, far: Channel) -> None:
        if channel.id in self.channels and not channel.in_stasis:
            self._destroy(channel, far, 19, 19)

    def end(self, name: str, cause: int) -> None:
        """An answered leg is over, by whoever's will."""
        channel = self.channels.get(name)
        if channel is None:
            return
        far = Channel(name + ";2", channel.way, channel.exten, channel.app, [])
        for playback in channel.playbacks:
            self._played(channel, playback, "failed")
        channel.playbacks.clear()
        for snoop in [one for one in self.channels.values() if one.snoop_of == name]:
            self._end_snoop(snoop)
        self.both(far, "ChannelHangupRequest", cause=16, soft=True)
        self.both(channel, "ChannelHangupRequest", cause=32, soft=True)
        self.both(far, "ChannelDestroyed", cause=16, cause_txt="Normal Clearing")
        self._leave(channel)
        if channel.in_stasis:
            self.both(channel, "StasisEnd")
        del self.channels[name]
        self.both(channel, "ChannelDestroyed", cause=cause, cause_txt="Normal Clearing")

    def _end_snoop(self, snoop: Channel) -> None:
        del self.channels[snoop.id]
        if snoop.recording:
            self.stored[snoop.recording] = b"RIFF-sound-of-" + snoop.recording.encode()
            recording = {"name": snoop.recording, "format": "wav", "state": "done", "duration": 3}
            self.tell(snoop.app, "RecordingFinished", recording=recording)
        self.both(snoop, "StasisEnd")
        self.both(snoop, "ChannelDestroyed", cause=16, cause_txt="Normal Clearing")

    def _destroy(self, channel: Channel, far: Channel, cause: int, far_cause: int) -> None:
        """Both halves report; the order of the two is not to be relied on."""
        self.channels.pop(channel.id, None)
        self.both(far, "ChannelHangupRequest", cause=0)
        self.both(channel, "ChannelDestroyed", cause=cause, cause_txt="Unknown")
        self.both(far, "ChannelDestroyed", cause=far_cause, cause_txt="Unknown")

    def _leave(self, channel: Channel) -> None:
        inside = self.bridges.get(channel.bridge)
        if inside is not None and channel.id in inside:
            inside.remove(channel.id)
            bridge = {"id": channel.bridge, "channels": list(inside)}
            self.tell(channel.app, "ChannelLeftBridge", bridge=bridge, channel=channel.json)

    def _played(self, channel: Channel, playback: str, state: str) -> None:
        self.tell(
            channel.app,
            "PlaybackFinished",
            playback={"id": playback, "state": state, "media_uri": "sound:x"},
        )

    def incoming(self, name: str, number: str, line: str, app: str = "dozvon") -> None:
        """Somebody calls us: the dialplan says Stasis(app,inbound,line)."""
        channel = Channel(
            name, Way(answers=0.0), "s", app, ["inbound", line], state="Ring", in_stasis=True
        )
        self.channels[name] = channel
        channel.caller, channel.app_data = number, f"{app},inbound,{line}"
        shown = channel.json
        self.tell(app, "StasisStart", channel=shown, args=channel.args)

    # --- the interface

    def handle(self, method: str, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """One request: (status, JSON body or None). Raises Refusal."""
        parts = [urllib.parse.unquote(part) for part in path.split("/") if part][
            1:
        ]  # without 'ari'
        match method, parts:
            case "GET", ["channels"]:
                return 200, [one.json for one in self.channels.values()]
            case "GET", ["channels", name]:
                return 200, self._channel(name).json
            case "POST", ["channels", name]:
                return 200, self._originate(name, query)
            case "DELETE", ["channels", name]:
                return self._hang_up(name)
            case "POST", ["channels", name, "answer" | "ring"]:
                channel = self._in_stasis(name)
                channel.state = "Up"
                return 204, None
            case "POST", ["channels", name, "continue"]:
                return self._continue(name, query)
            case "POST", ["channels", name, "play", playback]:
                return 201, self._play(name, playback, query)
            case "POST", ["channels", name, "snoop", snoop]:
                return 200, self._snoop(name, snoop, query)
            case "POST", ["channels", name, "record"]:
                return 201, self._record(name, query)
            case "DELETE", ["playbacks", playback]:
                return self._stop(playback)
            case "GET", ["bridges"]:
                return 200, [
                    {"id": name, "channels": inside} for name, inside in self.bridges.items()
                ]
            case "POST", ["bridges", name]:
                if name in self.bridges:
                    raise Refusal(409, "Bridge with id already exists")
                self.bridges[name] = []
                return 200, {"id": name, "channels": []}
            case "POST", ["bridges", name, "addChannel"]:
                return self._add(name, query["channel"].split(","))
            case "DELETE", ["bridges", name]:
                if self.bridges.pop(name, None) is None:
                    raise Refusal(404, "Bridge not found")
                return 204, None
            case "GET", ["recordings", "stored", name, "file"]:
                if name not in self.stored:
                    raise Refusal(404, "Recording not found")
                return 200, self.stored[name]
            case "PUT", ["applications", _app, "eventFilter"]:
                return 200, {}
            case _:
                raise Refusal(404, "Resource not found")

    def _channel(self, name: str) -> Channel:
        if name not in self.channels:
            raise Refusal(404, "Channel not found")
        return self.channels[name]

    def _in_stasis(self, name: str) -> Channel:
        channel = self._channel(name)
        if not channel.in_stasis:
            raise Refusal(409, "Channel not in Stasis application")
        return channel

    def _originate(self, name: str, query: dict[str, str]) -> Event:
        endpoint = query.get("endpoint", "")
        technology, _, rest = endpoint.partition("/")
        if self.allocation_fails:
            raise Refusal(500, "Allocation failed")
        if not rest:
            raise Refusal(400, "Invalid endpoint specified")
        if "app" not in query:
            raise Refusal(400, "Application or extension must be specified")
        if technology != "Local" or name in self.channels:
            raise Refusal(409, "Channel with given unique ID already exists")
        exten = rest.partition("@")[0]
        way = DIALPLAN.get(exten, Way(exists=False))
        channel = Channel(name, way, exten, query["app"], query.get("appArgs", "").split(","))
        self.channels[name] = channel
        self.dials.append(name)
        self.formats.append(query.get("formats", ""))
        answer = channel.json
        timeout = float(query.get("timeout", 30))
        if self.late_answers:
            self._dial(channel, timeout)
        else:
            self.later(0, lambda: self._dial(channel, timeout))
        return answer

    def _hang_up(self, name: str) -> tuple[int, None]:
        channel = self._channel(name)
        if channel.in_stasis:
            self.end(name, 16)
        else:
            far = Channel(name + ";2", channel.way, channel.exten, channel.app, [])
            self.tell(channel.app, "Dial", dialstatus="NOANSWER", peer=channel.json)
            self._destroy(channel, far, 16, 16)
        return 204, None

    def _continue(self, name: str, query: dict[str, str]) -> tuple[int, None]:
        """Out of the application: to the fallback of the dialplan, or through AMD and back
        again.
        """
        channel = self._in_stasis(name)
        if query.get("label", self.label) != self.label:
            raise Refusal(404, "Requested label not found")
        channel.in_stasis = False
        self.both(channel, "StasisEnd")
        if query.get("context") == self.listens:
            self.later(2.0, lambda: self._heard(channel))
        return 204, None

    def _heard(self, channel: Channel) -> None:
        if channel.id in self.channels:
            channel.in_stasis = True
            self.both(
                channel, "StasisStart", args=["amd", "MACHINE" if channel.way.machine else "HUMAN"]
            )

    def _play(self, name: str, playback: str, query: dict[str, str]) -> Event:
        channel = self._in_stasis(name)
        body = {"id": playback, "state": "queued", "media_uri": query["media"]}
        channel.playbacks.append(playback)
        self.tell(channel.app, "PlaybackStarted", playback={**body, "state": "playing"})
        absent = "absent" in query["media"]

        def finish() -> None:
            if playback in channel.playbacks and channel.id in self.channels:
                channel.playbacks.remove(playback)
                self._played(channel, playback, "failed" if absent else "done")

        self.later(0 if absent else 1.0, finish)
        return body

    def _stop(self, playback: str) -> tuple[int, None]:
        for channel in self.channels.values():
            if playback in channel.playbacks:
                channel.playbacks.remove(playback)
                self._played(channel, playback, "done")
                return 204, None
        raise Refusal(404, "Playback not found")

    def _snoop(self, name: str, snoop: str, query: dict[str, str]) -> Event:
        spied = self._in_stasis(name)
        made = Channel(snoop, spied.way, "snoop", query["app"], [], state="Up", snoop_of=name)
        self.channels[snoop] = made

        def enter() -> None:
            made.in_stasis = True
            self.both(made, "StasisStart", args=[])

        self.later(0.02 * self.speed, enter)
        return made.json

    def _record(self, name: str, query: dict[str, str]) -> Event:
        channel = self._in_stasis(name)
        if channel.bridge:
            raise Refusal(409, "Channel is in a bridge")
        channel.recording = query["name"]
        return {"name": query["name"], "format": "wav", "state": "queued"}

    def _add(self, bridge: str, names: list[str]) -> tuple[int, None]:
        if bridge not in self.bridges:
            raise Refusal(404, "Bridge not found")
        for name in names:
            if name not in self.channels:
                raise Refusal(400, "Channel not found")
            if not self.channels[name].in_stasis:
                raise Refusal(422, "Channel not in Stasis application")
        for name in names:
            channel = self.channels[name]
            if name in self.bridges[bridge]:  # added again: leaves and enters
                self._leave(channel)
            self.bridges[bridge].append(name)
            channel.bridge = bridge
            body = {"id": bridge, "channels": list(self.bridges[bridge])}
            self.tell(channel.app, "ChannelEnteredBridge", bridge=body, channel=channel.json)
        return 204, None
