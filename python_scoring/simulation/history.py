"""Simulated calls written as rows of call_history, traps included."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from python_scoring.simulation import dirt, events
from python_scoring.simulation.clinic import ClinicConfig

INCOMING, OUTGOING, INTERNAL = 1, 2, 3


def directions(calls: pd.DataFrame) -> np.ndarray:
    """1 incoming, 2 outgoing, 3 internal."""
    kind = calls["kind"]
    incoming = kind.isin(events.IN_KINDS)
    return np.where(incoming, INCOMING, np.where(kind == events.K_INTERNAL, INTERNAL, OUTGOING))


def history_rows(
    calls: pd.DataFrame, config: ClinicConfig, origin: date, utc_offset_hours: int, seed: int
) -> pd.DataFrame:
    """One row a call, in the order of `calls`."""
    random = np.random.default_rng([seed, 2])
    n = len(calls)
    direction = directions(calls)
    incoming, internal = direction == INCOMING, direction == INTERNAL
    answered = calls["talk"].to_numpy() > 0
    start = pd.Timestamp(origin) + pd.to_timedelta(calls["time"].astype("int64"), unit="s")
    epoch = (start - pd.Timestamp(0)) // pd.Timedelta(seconds=1) - utc_offset_hours * 3600
    wait, talk = calls["wait"].to_numpy(), calls["talk"].to_numpy()

    client = dirt.phones(random, [dirt.phone_digits(c) for c in calls["caller"]])
    hidden = calls["caller"].to_numpy() == 0
    client = np.where(hidden, dirt.choice(random, dirt.HIDDEN_NUMBERS, n), client)
    # Each source has its own number, which the exchange dials out with too.
    clinic = dirt.objects(
        [dirt.write_phone(f"{dirt.CLINIC_AREA}{s + 1:07d}", 0) for s in calls["source"]]
    )
    desk = dirt.objects([str(101 + i) for i in random.integers(0, len(config.operators), n)])
    desk_to = dirt.objects([str(101 + i) for i in random.integers(0, len(config.operators), n)])

    names = dirt.objects([o.name for o in config.operators] + [None])
    operator = names[calls["operator"].to_numpy()]
    operator = dirt.with_blanks(random, dirt.soil(random, operator, 0.05), random.random(n) < 0.985)
    client_info = dirt.with_blanks(random, client, random.random(n) < 0.25)
    labels = dirt.objects([s.label for s in config.sources])
    source = dirt.soil(random, labels[calls["source"].to_numpy()], 0.02)
    # The dialled number is known to the advertising of incoming calls only in part.
    told = np.where(incoming, 0.96, 0.85)
    source = dirt.with_blanks(random, source, random.random(n) < told)

    duration = wait + talk + random.integers(0, 3, n)
    created = start + pd.to_timedelta(wait + talk + random.integers(5, 120, n), unit="s")
    updated = created + pd.to_timedelta(random.integers(60, 7200, n), unit="s")
    # An early version of the writer left the local time out.
    no_local = (age(calls) < 0.25) & (random.random(n) < 0.7)
    no_epoch = ~no_local & (random.random(n) < 0.006)
    zone_slip = ~no_local & ~no_epoch & (random.random(n) < 0.001)
    local = start.mask(
        pd.Series(zone_slip, index=start.index), start - timedelta(hours=utc_offset_hours)
    )

    frame = pd.DataFrame(
        {
            "context_type": direction,
            "caller_number": np.where(internal, desk, np.where(incoming, client, clinic)),
            "called_number": np.where(internal, desk_to, np.where(incoming, clinic, client)),
            "caller_info": np.where(incoming, client_info, operator),
            "called_info": np.where(incoming, operator, client_info),
            "talk_duration": nullable(talk, ~answered & (random.random(n) < 0.3)),
            "await_sec": nullable(wait, random.random(n) < 0.004),
            "duration": nullable(duration, random.random(n) < 0.45),
            "context_start_time": nullable(
                np.where(no_epoch, 0, epoch), no_epoch & (random.random(n) < 0.5)
            ),
            "context_start_time_dt": local.mask(pd.Series(no_local, index=start.index)),
            "context_status": nullable(answered.astype(int), random.random(n) < 0.02),
            "recall_status": nullable((~answered).astype(int), random.random(n) < 0.8),
            "utm_source_by_number": source,
            "entry_id": [
                entry_id(seed, k, d) for k, d in zip(calls["key"], calls["depth"], strict=True)
            ],
            "answered_extension": dirt.with_blanks(
                random,
                extension(calls["operator"].to_numpy()),
                answered & (random.random(n) < 0.85),
            ),
            "answered_user_id": nullable(
                calls["operator"].to_numpy() + 1, ~answered | (random.random(n) < 0.1)
            ),
            "created_at": created,
            "updated_at": updated,
        }
    )
    return frame.reset_index(drop=True)


def age(calls: pd.DataFrame) -> np.ndarray:
    """0 for the oldest call, 1 for the newest."""
    time = calls["time"].to_numpy()
    if not len(time):
        return time
    return np.asarray((time - time.min()) / max(1.0, float(time.max() - time.min())))


def nullable(values: np.ndarray, null: np.ndarray) -> pd.Series:
    """Whole numbers with nulls."""
    return pd.Series(values).astype("Int64").mask(pd.Series(null))


def extension(operator: np.ndarray) -> np.ndarray:
    return dirt.objects([str(101 + o) if o >= 0 else None for o in operator])


def entry_id(seed: int, key: int, depth: int) -> str:
    """An id of the exchange's kind: the same call has the same in every run."""
    return f"{key ^ (seed << 16):016x}{depth:04x}"
