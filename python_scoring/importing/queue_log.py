"""Asterisk's queue_log: a line an event, turned into a record a call.

The columns it gives: callid, start (epoch), queue, client, agent, wait, talk, event (the one
that ended the call) and transfers. Calls that went through several queues add up.
"""

from __future__ import annotations

from collections.abc import Iterator

from python_scoring.importing.reading import Record

COLUMNS = ("callid", "start", "queue", "client", "agent", "wait", "talk", "event", "transfers")
# Where each event has seconds of waiting and talk, counted from its first argument.
WAIT = {"CONNECT": 0, "COMPLETECALLER": 0, "COMPLETEAGENT": 0, "ABANDON": 2, "EXITWITHTIMEOUT": 2,
        "EXITWITHKEY": 3, "EXITEMPTY": 2, "BLINDTRANSFER": 2, "ATTENDEDTRANSFER": 2}  # fmt: skip
TALK = {"COMPLETECALLER": 1, "COMPLETEAGENT": 1, "BLINDTRANSFER": 3, "ATTENDEDTRANSFER": 3}
ANSWERED = ("CONNECT", *TALK)
WITHIN_SEC = 4 * 3_600


def calls_of(records: Iterator[Record]) -> Iterator[Record]:
    """The header, then a record for each call that joined a queue."""
    yield Record(0, list(COLUMNS))
    calls: dict[str, dict[str, str]] = {}
    lines: dict[str, int] = {}
    newest = 0.0
    for record in records:
        if record.bad or len(record.fields) < 5:
            if record.bad or any(record.fields):
                yield Record(record.line, [], record.bad or "not an event of queue_log")
            continue
        moment, callid, queue, agent, event, *data = record.fields
        if callid in ("NONE", "MANAGER", "REALTIME", ""):
            continue
        call = calls.get(callid)
        if call is None:
            if event not in ("ENTERQUEUE", "CONNECT"):
                continue
            call = calls[callid] = {"callid": callid, "start": moment, "queue": queue}
            lines[callid] = record.line
        take(call, event, agent, data)
        newest = max(newest, float(call["start"]) if moment.replace(".", "").isdigit() else 0.0)
        if record.line % 5_000 == 0:
            for old in [c for c in calls if newest - float(calls[c]["start"]) > WITHIN_SEC]:
                yield as_record(lines.pop(old), calls.pop(old))
    for callid, call in calls.items():
        yield as_record(lines[callid], call)


def take(call: dict[str, str], event: str, agent: str, data: list[str]) -> None:
    """Add what one event tells."""
    if event == "ENTERQUEUE":
        call["client"] = data[1] if len(data) > 1 else ""
        call["before"] = call.get("wait", "") if call.get("event") not in ANSWERED else ""
        return
    if event in WAIT and len(data) > WAIT[event] and data[WAIT[event]].isdigit():
        if "connected" not in call:
            call["wait"] = str(int(data[WAIT[event]]) + int(call.get("before") or 0))
        if event == "CONNECT":
            call["connected"] = "1"
    if event in TALK and len(data) > TALK[event] and data[TALK[event]].isdigit():
        call["talk"] = str(int(call.get("talk", "0")) + int(data[TALK[event]]))
    if event in ANSWERED:
        call["agent"] = agent
    if event in ("BLINDTRANSFER", "ATTENDEDTRANSFER", "TRANSFER"):
        call["transfers"] = str(int(call.get("transfers", "0")) + 1)
    if event in WAIT and not (call.get("event") in TALK and event not in TALK):
        call["event"] = event


def as_record(line: int, call: dict[str, str]) -> Record:
    return Record(line, [call.get(column, "") for column in COLUMNS])
