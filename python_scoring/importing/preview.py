"""What an import would do, without a database: five calls as understood, and counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from python_scoring.base.source_tables import batches
from python_scoring.importing.calls import Call
from python_scoring.importing.loading import CallStream, Result
from python_scoring.importing.mapping import DIRECTIONS, MappingFile
from python_scoring.importing.reading import Content
from python_scoring.importing.streams import Rejects

SHOWN = 5
NAMES = {code: word for word, code in DIRECTIONS.items()}


@dataclass
class Preview:
    """Counts by direction, status and operator; calls have no number, only its last two digits."""

    result: Result
    first: str = ""
    last: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    directions: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    operators: Counter[str] = field(default_factory=Counter)
    rejects: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "dry_run": True,
            "calls": sum(self.directions.values()),
            "first": self.first,
            "last": self.last,
            "preview": self.calls,
            "directions": dict(self.directions),
            "statuses": dict(self.statuses),
            "operators": dict(self.operators),
            "rejects": self.rejects,
            **{k: v for k, v in self.result.as_dict().items() if k not in ("schema", "import_id")},
        }

    def as_text(self) -> str:
        lines = [
            f"{sum(self.directions.values())} calls, {self.first} to {self.last}, as understood:"
        ]
        lines += [
            f"  line {c['line']}: {c['start']} {c['direction']}, {c['status']}, "
            f"waited {c['wait']} s, talked {c['talk']} s, "
            f"client {c['client']}, operator {c['operator']}"
            for c in self.calls
        ]
        for name in ("directions", "statuses", "operators"):
            counts = getattr(self, name).most_common(12)
            lines.append(f"{name}: " + ", ".join(f"{word} {count}" for word, count in counts))
        result = self.result
        if result.legs_folded:
            lines.append(
                f"{result.legs_folded} further legs folded in, {result.transferred} transferred"
            )
        lines += [f"{count} skipped: {why}" for why, count in result.skipped.most_common()]
        lines += [f"{count} times: {what}" for what, count in result.notes.most_common()]
        if result.waiting:
            lines.append("the last line is not finished yet")
        if result.rejected:
            lines.append(f"{result.rejected} would be rejected, the first:")
            lines += [f"  {reject}" for reject in self.rejects]
        return "\n".join(lines)


def preview_of(content: Content, mapping: MappingFile, clinic: tzinfo) -> Preview:
    """Read the whole file as an import would."""
    result = Result(schema="")
    stream = CallStream(content, mapping, clinic)
    preview = Preview(result)
    seen: set[str] = set()
    rejects = Rejects(None)
    for batch in batches(stream.calls(result, rejects), 2_000):  # type: ignore[arg-type]
        stream.check_operators()
        for call in batch:
            assert isinstance(call, Call)
            if call.entry_id in seen:
                result.rejected += 1
                rejects.add(call.line, "key: an earlier line of the file has the same one")
                continue
            seen.add(call.entry_id)
            take(preview, stream, call)
    preview.rejects = rejects.first
    return preview


def take(preview: Preview, stream: CallStream, call: Call) -> None:
    start = str(stream.reader.clock.local(call.start))
    preview.first = min(preview.first or start, start)
    preview.last = max(preview.last, start)
    status = "answered" if call.answered else "not answered"
    direction = NAMES[call.direction]
    preview.directions[direction] += 1
    preview.statuses[f"{direction} {status}"] += 1
    preview.operators[call.operator or "(none)"] += 1
    preview.result.transferred += call.transfers > 0
    if len(preview.calls) < SHOWN:
        preview.calls.append(
            {
                "line": call.line,
                "start": start,
                "direction": direction,
                "status": status,
                "wait": call.wait,
                "talk": call.talk,
                "client": f"…{call.client[-2:]}" if call.client else "unknown",
                "operator": call.operator,
            }
        )
