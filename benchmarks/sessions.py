"""Somebody at a screen, without the screen: a client that speaks Streamlit's own protocol (protobuf over a WebSocket).

A browser takes 200 MB and half a core; fifty of these fit beside the server that they measure.  What such a visitor
does is what a browser sends: a first run with the address, a fragment's run for a click, a run every two seconds where a
part of the page asks to be run again.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

DONE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass
class Visitor:
    """One session; ``elements`` is what stands on its screen, by place."""

    address: str
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    elements: dict[tuple[int, ...], Any] = field(default_factory=dict)
    part_of: dict[tuple[int, ...], str] = field(default_factory=dict)
    fragment_of: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    polls: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    received: int = 0
    page: str = ""
    _running: str = ""
    _socket: ClientConnection | None = None
    _seen: dict[str, Any] = field(default_factory=dict)

    async def __aenter__(self) -> Visitor:
        self._socket = await connect(
            f"{self.address.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=self.headers,
            max_size=None,
            open_timeout=60,
        )
        await self.run()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def run(self, fragment: str = "", *, auto: bool = False) -> float:
        """Let the page (or one fragment of it) run, take in what it says, and return the seconds it took."""
        assert self._socket is not None
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self.query, self.page
        state.fragment_id, state.is_auto_rerun = fragment, auto
        for widget, value in self.values.items():
            one = state.widget_states.widgets.add(id=widget)
            for kind, content in value.items():
                setattr(one, kind, content)
        self.values = {widget: value for widget, value in self.values.items() if "trigger_value" not in value}
        self._running, began = fragment, time.perf_counter()
        await self._socket.send(message.SerializeToString())
        while True:
            data = await self._socket.recv()
            assert isinstance(data, bytes)
            self.received += len(data)
            told = ForwardMsg.FromString(data)
            if self._take(told):
                return time.perf_counter() - began

    def _take(self, told: ForwardMsg) -> bool:
        """Take one message in; True where the run is over."""
        kind = told.WhichOneof("type")
        if kind == "ref_hash":
            told = self._seen[told.ref_hash]
            kind = told.WhichOneof("type")
        elif told.hash:
            self._seen[told.hash] = told
        if kind == "new_session":
            self.page = told.new_session.page_script_hash
            gone = [path for path, part in self.part_of.items() if part == self._running or not self._running]
            for path in gone:
                del self.elements[path], self.part_of[path]
        elif kind == "auto_rerun":
            self.polls[told.auto_rerun.fragment_id] = told.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for stopped in told.stop_auto_rerun.fragment_ids:
                self.polls.pop(stopped, None)
        elif kind == "delta" and told.delta.WhichOneof("type") == "new_element":
            self._place(tuple(told.metadata.delta_path), told.delta)
        if kind == "script_finished" and told.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self._running = ""  # the whole page runs next
        return kind == "script_finished" and told.script_finished in DONE

    def _place(self, path: tuple[int, ...], delta: Any) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        held = getattr(element, kind)
        self.elements[path], self.part_of[path] = held, delta.fragment_id
        if kind == "exception":
            self.errors.append(held.message or held.type)
        if widget := getattr(held, "id", ""):
            self.fragment_of[widget] = delta.fragment_id

    # -- what is on the screen, and doing something with it --------------------------------------------------------

    def widget(self, key: str) -> str:
        """Id of the widget of that key that stands on the screen now."""
        found = [held.id for held in self.elements.values() if getattr(held, "id", "").endswith(f"-{key}")]
        assert found, f"no {key} on the screen"
        return found[-1]

    def labelled(self, label: str) -> str:
        """Id of the widget with a label."""
        return next(held.id for held in self.elements.values() if getattr(held, "label", "") == label)

    async def use(self, widget: str, **value: Any) -> float:
        """Give a widget a value and let its part of the page run."""
        self.values[widget] = value
        return await self.run(self.fragment_of[widget])

    async def press(self, key: str) -> float:
        """Press a button."""
        return await self.use(self.widget(key), trigger_value=True)

    async def click_map(self, kind: str, chosen: str) -> float:
        """Click a section or a source on the map."""
        feature = {"properties": {"kind": kind, "id": chosen, "clicks": time.time_ns() // 1_000_000}}
        frame = next(held for held in self.elements.values() if "folium" in getattr(held, "component_name", ""))
        return await self.use(frame.id, json_value=json.dumps({"last_active_drawing": feature}))

    async def poll(self) -> None:
        """Run the parts of the page that ask to be run every so often."""
        for fragment in list(self.polls):
            await self.run(fragment, auto=True)

    def component(self, key: str) -> dict[str, Any]:
        """What Python told one of the components."""
        widget = self.widget(key)
        held = next(held for held in self.elements.values() if getattr(held, "id", "") == widget)
        return dict(json.loads(held.mixed.json if held.WhichOneof("data") == "mixed" else held.json))

    def words(self) -> str:
        """Every text on the screen."""
        told = [getattr(held, "body", "") for held in self.elements.values()]
        return "\n".join(str(words) for words in told)

    async def sign_in(self, name: str, password: str) -> None:
        """Fill in the form of the door."""
        for label, words in (("账号", name), ("密码", password)):
            self.values[self.labelled(label)] = {"string_value": words}
        await self.use(self.labelled("登录"), trigger_value=True)
