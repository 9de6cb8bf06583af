"""Made-up exports of phone systems by the mappings that come with lm, against truth by hand."""

# ruff: noqa: E501 (lines of logs are as long as they are)
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from import_cases import Log

from python_scoring.importing.mapping import bundled
from python_scoring.importing.reading import inspect
from python_scoring.importing.sniffing import look_at

CLIENT = "70000000001"
# Answered after 12 s, 120 s of talk with 101 (Anna); then a missed call of 41 s.
ANSWERED, MISSED = ("in", CLIENT, 120, True), ("in", CLIENT, 0, False)


def asterisk(*rows: str) -> str:
    return "\n".join(rows) + "\n"


LOGS: dict[str, str] = {
    "asterisk": asterisk(
        f'"","{CLIENT}","200","from-trunk","{CLIENT}","PJSIP/trunk-01","PJSIP/101-02","Queue","200",'
        '"2025-02-03 09:00:00","2025-02-03 09:00:12","2025-02-03 09:02:12",132,120,"ANSWERED",'
        '"DOCUMENTATION","1738562400.1",""',
        f'"","{CLIENT}","200","from-trunk","{CLIENT}","PJSIP/trunk-03","","Queue","200",'
        '"2025-02-03 09:05:00",,"2025-02-03 09:05:41",41,0,"NO ANSWER","DOCUMENTATION",'
        '"1738562700.3",""',
    ),
    "freepbx": "calldate,src,dst,channel,dstchannel,lastapp,duration,billsec,disposition,did,linkedid\n"
    f"2025-02-03 09:00:00,{CLIENT},200,PJSIP/trunk-1,Local/102@q-1;1,Queue,12,0,NO ANSWER,70020000001,a\n"
    f"2025-02-03 09:00:00,{CLIENT},200,PJSIP/trunk-1,Local/101@q-2;1,Queue,132,120,ANSWERED,70020000001,a\n"
    f"2025-02-03 09:05:00,{CLIENT},200,PJSIP/trunk-2,,Queue,41,0,NO ANSWER,70020000001,b\n",
    "asterisk_queue_log": f"1738562400|c1|200|NONE|ENTERQUEUE||{CLIENT}|1\n"
    "1738562406|c1|200|PJSIP/102|RINGNOANSWER|5000\n"
    "1738562412|c1|200|PJSIP/101|CONNECT|12|c2|5\n"
    "1738562532|c1|200|PJSIP/101|COMPLETECALLER|12|120|1\n"
    f"1738562700|c3|200|NONE|ENTERQUEUE||{CLIENT}|1\n"
    "1738562741|c3|200|NONE|ABANDON|1|1|41\n",
    "3cx": "Call Time,Caller ID,Destination,Status,Ringing,Talking\n"
    f"02/03/2025 9:00:00 AM,{CLIENT},101 Anna,Answered,00:00:12,00:02:00\n"
    f"02/03/2025 9:05:00 AM,{CLIENT},101 Anna,Unanswered,00:00:41,\n",
    "mikopbx": "start,answer,src_num,dst_num,linkedid,did,duration,billsec,disposition\n"
    f"2025-02-03 09:00:00.120,2025-02-03 09:00:12.1,{CLIENT},101,a,70020000001,132,120,ANSWERED\n"
    f"2025-02-03 09:05:00.120,,{CLIENT},101,b,70020000001,41,0,NOANSWER\n",
    "mango_office": f"[r1];1738562400;1738562532;1738562412;;{CLIENT};101;sip:a@b.c;1110;70020000001;m;e1\n"
    f"[];1738562700;1738562741;0;;{CLIENT};;70020000001;1120;70020000001;m;e2\n",
    "megafon": f"u1,in,{CLIENT},anna,70020000001,20250203T060000Z,12,120,\n"
    f"u2,missed,{CLIENT},,70020000001,20250203T060500Z,41,0,\n",
    "generic": "id,start,direction,caller,callee,operator,wait,talk\n"
    f"1,2025-02-03 09:00:00,in,{CLIENT},101,Anna,12,120\n2,2025-02-03 09:05:00,in,{CLIENT},,,41,0\n",
    "genesys_cloud": "Conversation ID,Date,Direction,Media Type,ANI,DNIS,Users,Total Queue,Total Talk\n"
    f"g1,2/3/25 9:00 AM,Inbound,voice,tel:+{CLIENT},tel:+70020000001,Anna,12000,120000\n"
    f"g2,2/3/25 9:05 AM,Inbound,voice,tel:+{CLIENT},tel:+70020000001,,41000,0\n"
    f"g3,2/3/25 9:05 AM,Inbound,chat,,,Anna,,\n",
}


def objects(*items: dict[str, Any]) -> str:
    return json.dumps(list(items))


LOGS["uis"] = json.dumps({"result": {"data": [
    {"id": 1, "start_time": "2025-02-03 09:00:00", "direction": "in", "is_lost": False,
     "contact_phone_number": CLIENT, "virtual_phone_number": "70020000001", "wait_duration": 12,
     "talk_duration": 120, "total_duration": 132, "last_answered_employee_full_name": "Anna"},
    {"id": 2, "start_time": "2025-02-03 09:05:00", "direction": "in", "is_lost": True,
     "contact_phone_number": CLIENT, "virtual_phone_number": "70020000001", "wait_duration": 41,
     "talk_duration": 0, "total_duration": 41},
]}})  # fmt: skip
LOGS["zadarma"] = json.dumps({"status": "success", "stats": [
    {"call_id": "1", "pbx_call_id": "in_1", "sip": "101", "callstart": "2025-02-03 09:00:00",
     "clid": f"{CLIENT}", "destination": 101, "disposition": "answered", "seconds": 120},
    {"call_id": "2", "pbx_call_id": "in_2", "sip": "101", "callstart": "2025-02-03 09:05:00",
     "clid": f"{CLIENT}", "destination": 101, "disposition": "no answer", "seconds": 0},
]})  # fmt: skip
LOGS["beeline"] = objects(
    {"startDate": 1738562400000, "direction": "INBOUND", "status": "RECIEVED", "duration": 120,
     "phone_from": CLIENT, "phone_to": "101", "abonent": {"lastName": "Anna"}},
    {"startDate": 1738562700000, "direction": "INBOUND", "status": "MISSED", "duration": 0,
     "phone_from": CLIENT, "phone_to": "101", "abonent": None},
)  # fmt: skip
LOGS["twilio"] = json.dumps({"calls": [
    {"sid": "CA1", "from": f"+{CLIENT}", "to": "+70020000001", "direction": "inbound",
     "status": "completed", "start_time": "Mon, 03 Feb 2025 06:00:00 +0000", "duration": "120",
     "parent_call_sid": None},
    {"sid": "CA2", "from": f"+{CLIENT}", "to": "client:anna", "direction": "outbound-dial",
     "status": "completed", "start_time": "Mon, 03 Feb 2025 06:00:05 +0000", "duration": "115",
     "parent_call_sid": "CA1"},
    {"sid": "CA3", "from": f"+{CLIENT}", "to": "+70020000001", "direction": "inbound",
     "status": "no-answer", "start_time": "Mon, 03 Feb 2025 06:05:00 +0000", "duration": "0",
     "parent_call_sid": None},
]})  # fmt: skip
LOGS["amazon_connect"] = "\n".join(map(json.dumps, [
    {"ContactId": "a", "InitialContactId": None, "InitiationMethod": "INBOUND", "Channel": "VOICE",
     "InitiationTimestamp": "2025-02-03T06:00:00Z", "CustomerEndpoint": {"Address": f"+{CLIENT}"},
     "SystemEndpoint": {"Address": "+70020000001"}, "Queue": {"Duration": 12},
     "Agent": {"Username": "anna", "AgentInteractionDuration": 120}},
    {"ContactId": "b", "InitialContactId": None, "InitiationMethod": "INBOUND", "Channel": "VOICE",
     "InitiationTimestamp": "2025-02-03T06:05:00Z", "CustomerEndpoint": {"Address": f"+{CLIENT}"},
     "SystemEndpoint": {"Address": "+70020000001"}, "Queue": {"Duration": 41}, "Agent": None},
]))  # fmt: skip
LOGS["ringcentral"] = json.dumps({"records": [
    {"id": "1", "sessionId": "s1", "startTime": "2025-02-03T06:00:00.000Z", "duration": 120,
     "type": "Voice", "direction": "Inbound", "result": "Accepted",
     "from": {"phoneNumber": f"+{CLIENT}"}, "to": {"phoneNumber": "+70020000001", "name": "Anna"}},
    {"id": "2", "sessionId": "s2", "startTime": "2025-02-03T06:05:00.000Z", "duration": 41,
     "type": "Voice", "direction": "Inbound", "result": "Missed",
     "from": {"phoneNumber": f"+{CLIENT}"}, "to": {"phoneNumber": "+70020000001"}},
]})  # fmt: skip
LOGS["aircall"] = json.dumps({"calls": [
    {"id": 1, "direction": "inbound", "started_at": 1738562400, "answered_at": 1738562412,
     "ended_at": 1738562532, "raw_digits": f"+{CLIENT}", "number": {"digits": "+7 002 000 00 01"},
     "user": {"name": "Anna"}},
    {"id": 2, "direction": "inbound", "started_at": 1738562700, "answered_at": None,
     "ended_at": 1738562741, "raw_digits": f"+{CLIENT}", "number": {"digits": "+7 002 000 00 01"},
     "user": None},
]})  # fmt: skip
LOGS["zoom_phone"] = json.dumps({"call_logs": [
    {"call_id": "1", "direction": "inbound", "caller_number": f"+{CLIENT}", "callee_number": "101",
     "callee_name": "Anna", "date_time": "2025-02-03T06:00:00Z", "duration": 120,
     "result": "Call connected", "waiting_time": 12},
    {"call_id": "2", "direction": "inbound", "caller_number": f"+{CLIENT}", "callee_number": "101",
     "date_time": "2025-02-03T06:05:00Z", "duration": 0, "result": "Missed", "waiting_time": 41},
]})  # fmt: skip
# What a system does not tell: the wait, the operator.
NO_WAIT = ("zadarma", "beeline", "twilio", "ringcentral")
OPERATORS = {"asterisk": "101", "freepbx": "101", "asterisk_queue_log": "101", "3cx": "101 Anna",
             "mikopbx": "101", "mango_office": "101", "megafon": "anna", "zadarma": "101",
             "twilio": None, "amazon_connect": "anna"}  # fmt: skip
TOLD_BY_CONTENT = ("asterisk", "asterisk_queue_log")


@pytest.mark.parametrize("system", sorted(LOGS))
def test_a_system_s_export(tmp_path: Path, system: str) -> None:
    log = Log(tmp_path, LOGS[system], system)
    assert log.result.rejected == 0, log.rejects.first
    assert log.starts() == ["2025-02-03 09:00:00", "2025-02-03 09:05:00"]
    rows = [(c.direction, c.client, c.talk or 0, c.answered) for c in log.calls]
    assert rows == [(1, *ANSWERED[1:]), (1, *MISSED[1:])]
    assert log.calls[0].operator == OPERATORS.get(system, "Anna")
    waits = [None, None] if system in NO_WAIT else [12, 41]
    assert [call.wait for call in log.calls] == waits


def test_every_mapping_has_a_made_up_export() -> None:
    assert {m.name for m in bundled()} == {*LOGS, "anonymous_bank"}
    assert all(m.title for m in bundled())


@pytest.mark.parametrize("system", sorted(LOGS))
def test_a_system_is_recognised(tmp_path: Path, system: str) -> None:
    known = next(m for m in bundled() if m.name == system)
    if not known.known_by and system not in TOLD_BY_CONTENT:
        pytest.skip("a file without header and marks of its own")
    path = tmp_path / "log.csv"
    path.write_text(LOGS[system])
    finding = look_at(inspect(path))
    assert finding.system == system
    assert finding.mapping is not None


HEAD = "calldate,src,dst,channel,dstchannel,lastapp,duration,billsec,disposition,did,linkedid\n"
MOBILE = "70000000009"


def leg(time: str, dst: str, to: str, seconds: tuple[int, int], app: str = "Dial", src: str = CLIENT,
        state: str = "", did: str = "70020000001", by: str = "PJSIP/trunk-1") -> str:  # fmt: skip
    state = state or ("ANSWERED" if seconds[1] else "NO ANSWER")
    return (
        f"2025-02-03 {time},{src},{dst},{by},{to},{app},{seconds[0]},{seconds[1]},{state},{did},x\n"
    )


LEGS: dict[str, tuple[str, tuple[Any, ...], int]] = {
    # (direction, client, operator, wait, talk, answered), transfers
    "ring all": (
        leg("09:00:00", "600", "PJSIP/101-1", (14, 0)) + leg("09:00:00", "600", "PJSIP/102-1", (134, 120))
        + leg("09:00:00", "600", "PJSIP/103-1", (14, 0)),
        ("in", CLIENT, "102", 14, 120, True), 0,
    ),
    "queue with several attempts": (
        leg("09:00:00", "200", "Local/101@q-1;1", (15, 0), "Queue")
        + leg("09:00:15", "200", "Local/102@q-2;1", (10, 0), "Queue")
        + leg("09:00:25", "200", "Local/103@q-3;1", (65, 60), "Queue"),
        ("in", CLIENT, "103", 30, 60, True), 0,
    ),
    "nobody": (
        leg("09:00:00", "200", "Local/101@q-1;1", (15, 0), "Queue")
        + leg("09:00:15", "200", "Local/102@q-2;1", (10, 0), "Queue"),
        ("in", CLIENT, "101", 25, 0, False), 0,
    ),
    "blind transfer": (
        leg("09:00:00", "101", "PJSIP/101-1", (40, 30))
        + leg("09:00:40", "102", "PJSIP/102-1", (95, 90)),
        ("in", CLIENT, "102", 10, 120, True), 1,
    ),
    "attended transfer": (
        leg("09:00:00", "101", "PJSIP/101-1", (40, 30))
        + leg("09:00:20", "102", "PJSIP/102-1", (20, 15), src="101", did="", by="PJSIP/101-9")
        + leg("09:00:40", "102", "PJSIP/102-1", (90, 90)),
        ("in", CLIENT, "102", 10, 120, True), 1,
    ),
    "menu only": (
        leg("09:00:00", "s", "", (40, 40), "BackGround"),
        ("in", CLIENT, None, 0, 0, False), 0,
    ),
    "voicemail": (
        leg("09:00:00", "101", "PJSIP/101-1", (20, 0)) + leg("09:00:20", "vmu101", "", (30, 30), "VoiceMail"),
        ("in", CLIENT, "101", 20, 0, False), 0,
    ),
    "forwarded to a mobile": (
        leg("09:00:00", MOBILE, "PJSIP/trunk-2", (70, 60)),
        ("in", CLIENT, None, 10, 60, True), 0,
    ),
    "a Local channel's two halves": (
        leg("09:00:00", "101", "Local/101@x-1;1", (70, 60)) + leg("09:00:00", "101", "PJSIP/101-1", (70, 60)),
        ("in", CLIENT, "101", 10, 60, True), 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LEGS)
def test_legs_become_one_call(tmp_path: Path, case: str) -> None:
    rows, expected, transfers = LEGS[case]
    log = Log(tmp_path, HEAD + rows, "freepbx")
    assert log.result.rejected == 0, log.rejects.first
    assert log.rows() == [expected]
    assert log.calls[0].transfers == transfers


def test_an_unknown_log_gets_a_proposal_and_its_questions(tmp_path: Path) -> None:
    path = tmp_path / "my calls.csv"
    path.write_text(
        "id;start;dir;client;agent;wait;talk\n"
        f"1;05/02/2025 09:00:00;in;+{CLIENT};Anna;12;120\n2;06/02/2025 09:00:00;out;+{CLIENT};Ann;5;0\n"
    )
    finding = look_at(inspect(path))
    assert finding.system is None
    assert any("both ways" in question for question in finding.open_questions)
    assert CLIENT not in finding.as_text() + finding.mapping_text
    for part in ("dir", "incoming", "column: client", "column: agent", "column: talk"):
        assert part in finding.mapping_text
