"""The traffic mode, as two lanes from request to customer. Pure."""

from dataclasses import dataclass

from tripwire_admin_ui.presenters.system_state import SystemState


@dataclass(frozen=True)
class TrafficMode:
    """`lane` is the one in use: queue, direct (chosen), fallback, or unknown."""

    lane: str
    pill: str
    tone: str
    sentence: str
    lower_note: str


def traffic_mode(state: SystemState) -> TrafficMode:
    if state.mode is None:
        return TrafficMode("unknown", "Unknown", "unknown", "Not known right now.", "not known right now")
    if state.direct:
        sentence = "Directly: each request is finished before it is answered."
        return TrafficMode("direct", "Direct mode", "switch", sentence, "chosen by an admin")
    if state.redis_down:
        sentence = "Queue mode is set, but Redis is down: requests are created directly for now."
        return TrafficMode("fallback", "Fallback", "warn", sentence, "took over by itself")
    sentence = "Through the queue: answered at once, finished by the workers."
    return TrafficMode("queue", "Queue mode", "info", sentence, "ready, not used")
