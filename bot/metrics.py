"""Counts Prometheus metrics. They come from the log: a structlog processor counts the events."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# Buckets in seconds. A send usually takes one round trip, during flood control up to eight seconds.
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25)


@dataclass(frozen=True, slots=True)
class Health:
    """Values that are read at each scrape. `problems` are the reasons why the process is not ready."""

    deliveries: Mapping[str, int]
    unknown_outcomes: int
    limit_used: Mapping[str, float]
    problems: Mapping[str, str]
    unread_seconds: float = 0.0  # since the last read of any source


class Metrics:
    """A structlog processor that counts events. It returns every event unchanged."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._messages = self._counter("messages_sent", "Messages that a platform confirmed", "platform")
        self._errors = self._counter("send_errors", "Sends that ended with an error", "platform", "error")
        self._send = self._histogram("send_seconds", "From the request to the answer", "platform")
        self._replies = self._histogram("command_seconds", "From a command to its reply", "command")
        self._posts = self._counter("posts_new", "New posts")
        self._polls = self._counter("polls", "Polls of sources", "outcome")
        self._digests = self._counter("digests_run", "Slots of digests that ran")
        self._deliveries = Gauge(
            "skywave_deliveries", "Deliveries by state", ["state"], registry=self.registry
        )
        self._unknown = Gauge(
            "skywave_unknown_outcomes", "Parts whose outcome was unknown, ever", registry=self.registry
        )
        self._used = Gauge(
            "skywave_limit_used_ratio",
            "Share of the platform's limit used in the last minute",
            ["platform"],
            registry=self.registry,
        )

        self._unread = Gauge(
            "skywave_source_unread_seconds", "Since the last read of any source", registry=self.registry
        )
        self._jumps = self._counter("clock_jumps", "Jumps of the wall clock")
        self._stuck = self._counter("loop_stuck", "Times that the event loop was stuck")
        self._floods = self._counter("floods", "People who were refused because they asked too much")
        self._pushes = self._counter("pushes", "Bodies that hubs and hooks sent", "outcome")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"skywave_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"skywave_{name}", text, labels, registry=self.registry, buckets=SECONDS)

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        # Chats are logged like telegram:123.
        platform = str(event.get("chat", "")).partition(":")[0]
        match event["event"]:
            case "part.sent":
                self._messages.labels(platform).inc()
                self._send.labels(platform).observe(event["seconds"])
            case "part.not_sent":
                self._errors.labels(platform, event["error"]).inc()
            case "command.answered":
                self._replies.labels(event["command"]).observe(event["seconds"])
            case "source.polled":
                self._polls.labels("read").inc()
                self._posts.inc(event["new"])
            case "source.unchanged":
                self._polls.labels("unchanged").inc()
            case "source.failed":
                self._polls.labels("failed").inc()
            case "source.pushed":
                self._pushes.labels("taken").inc()
                self._posts.inc(event["new"])
            case "push.not_taken":
                self._pushes.labels("failed").inc()
            case "digest.run":
                self._digests.inc()
            case "clock.jumped":
                self._jumps.inc()
            case "loop.stuck":
                self._stuck.inc()
            case "person.flooding":
                self._floods.inc()
        return event

    def exposition(self, health: Health) -> bytes:
        """The metrics in Prometheus's text format."""
        self._deliveries.clear()  # states without deliveries must disappear
        for state, count in health.deliveries.items():
            self._deliveries.labels(state).set(count)
        self._unknown.set(health.unknown_outcomes)
        self._unread.set(health.unread_seconds)
        for platform, share in health.limit_used.items():
            self._used.labels(platform).set(share)
        return generate_latest(self.registry)
