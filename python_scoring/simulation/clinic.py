"""The simulated clinic: who calls, who answers, what is sold.

Everything a what-if may change is a field of `ClinicConfig`. Nothing here is
taken from a real clinic but the rough shape of its days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import cos, pi

RUN_UP_DAYS = 30
MAX_SOURCE_MULTIPLIER = 3.0

# Fixed-date days off; Russian holidays that move are left to the project's seed.
HOLIDAYS = {(1, day) for day in range(1, 9)} | {
    (2, 23),
    (3, 8),
    (5, 1),
    (5, 9),
    (6, 12),
    (11, 4),
}
CLOSED_DAYS = {(1, 1)}


@dataclass(frozen=True)
class Service:
    """A service, what it is worth and how its callers differ."""

    service_id: int
    name: str
    speciality: str
    group: str
    ticket: int
    recurrence: str
    share: float


@dataclass(frozen=True)
class Group:
    """A group of services: its callers' readiness to book and to call again."""

    code: str
    booking: float
    repeat: float


@dataclass(frozen=True)
class Source:
    """A traffic source; the label None is a call without one."""

    label: str | None
    share: float
    booking: float
    repeat: float


@dataclass(frozen=True)
class Operator:
    """A person on the phones; `level` shifts the log-odds of a booking."""

    name: str
    level: float
    speed: float = 1.0


@dataclass(frozen=True)
class Shift:
    """Who works on which weekdays (0 is Monday) between two local hours.

    `week` restricts the shift to even (0) or odd (1) ISO weeks.
    """

    operator: int
    weekdays: tuple[int, ...]
    start_hour: int
    end_hour: int
    week: int | None = None


SERVICES = (
    Service(101, "Приём терапевта", "Терапевт", "therapy", 1900, "one_off", 10),
    Service(102, "Приём педиатра", "Педиатр", "therapy", 2000, "one_off", 6),
    Service(103, "Приём кардиолога", "Кардиолог", "specialist", 2400, "one_off", 5),
    Service(104, "Приём невролога", "Невролог", "specialist", 2400, "one_off", 6),
    Service(105, "Приём эндокринолога", "Эндокринолог", "specialist", 2300, "regular", 4),
    Service(106, "Приём ЛОР-врача", "Оториноларинголог", "specialist", 2200, "one_off", 5),
    Service(107, "Приём дерматолога", "Дерматолог", "specialist", 2200, "one_off", 4),
    Service(108, "Приём офтальмолога", "Офтальмолог", "specialist", 2100, "one_off", 3),
    Service(109, "Приём уролога", "Уролог", "specialist", 2300, "one_off", 3),
    Service(110, "Приём гинеколога", "Гинеколог", "gynecology", 2500, "regular", 9),
    Service(111, "Ведение беременности", "Гинеколог", "gynecology", 14000, "regular", 1),
    Service(112, "Приём стоматолога", "Стоматолог", "dentistry", 4200, "course", 8),
    Service(
        113, "Профессиональная гигиена полости рта", "Стоматолог", "dentistry", 4800, "regular", 3
    ),
    Service(114, "Имплантация зубов", "Стоматолог", "dentistry", 42000, "course", 1),
    Service(115, "УЗИ", "Врач УЗИ", "ultrasound", 2100, "one_off", 9),
    Service(116, "МРТ", "Рентгенолог", "imaging", 6200, "one_off", 5),
    Service(117, "КТ", "Рентгенолог", "imaging", 5600, "one_off", 2),
    Service(118, "Рентген", "Рентгенолог", "imaging", 1500, "one_off", 3),
    Service(119, "Анализ крови", "", "laboratory", 1200, "regular", 8),
    Service(120, "Забор анализов на дому", "", "laboratory", 2600, "one_off", 1),
    Service(121, "Физиотерапия", "Физиотерапевт", "physiotherapy", 1100, "course", 3),
    Service(122, "Массаж", "Массажист", "massage", 1800, "course", 4),
    Service(123, "Вакцинация", "", "vaccination", 2200, "one_off", 2),
    Service(124, "Медицинская справка", "Терапевт", "certificates", 1600, "one_off", 3),
    Service(125, "Эндоскопия", "Эндоскопист", "endoscopy", 7400, "one_off", 2),
)

GROUPS = (
    Group("therapy", 0.20, 0.00),
    Group("specialist", -0.10, 0.10),
    Group("gynecology", 0.10, 0.10),
    Group("dentistry", -0.35, 0.20),
    Group("ultrasound", 0.50, -0.15),
    Group("imaging", -0.60, -0.10),
    Group("laboratory", 0.35, 0.30),
    Group("physiotherapy", 0.15, 0.45),
    Group("massage", 0.00, 0.35),
    Group("vaccination", -0.30, -0.20),
    Group("certificates", 0.60, -0.40),
    Group("endoscopy", -0.45, 0.25),
)

SOURCES = (
    Source(None, 0.46, 0.00, 0.00),
    Source("Сайт и другие порталы", 0.21, 0.25, 0.00),
    Source("2ГИС", 0.10, 0.05, -0.10),
    Source("Яндекс Карты", 0.09, 0.10, -0.05),
    Source("ПроДокторов", 0.06, 0.45, 0.15),
    Source("Гугл Карты", 0.02, -0.10, -0.10),
    Source("СберЗдоровье", 0.03, -0.45, 0.20),
    Source("НаПоправку", 0.03, -0.55, 0.15),
)

OPERATORS = (
    Operator("Иванова Анна", 0.45, 0.95),
    Operator("Смирнова Ольга", 0.30, 1.00),
    Operator("Кузнецова Мария", 0.20, 1.10),
    Operator("Попова Елена", 0.10, 0.95),
    Operator("Соколова Наталья", 0.00, 1.05),
    Operator("Лебедева Татьяна", 0.00, 1.00),
    Operator("Козлова Алёна", -0.10, 0.90),
    Operator("Новикова Ирина", -0.25, 1.15),
    Operator("Морозова Светлана", -0.30, 0.95),
    Operator("Петров Сергей", -0.45, 0.90),
)

MON_FRI = (0, 1, 2, 3, 4)
WEEKEND = (5, 6)

# Two by day, one early and late: where a shift counts, and whose absence shows.
SHIFTS = (
    Shift(0, MON_FRI, 8, 16, 0),
    Shift(1, MON_FRI, 9, 17, 0),
    Shift(2, (0, 1, 2), 11, 20, 0),
    Shift(3, (3, 4), 11, 20, 0),
    Shift(4, MON_FRI, 8, 16, 1),
    Shift(5, MON_FRI, 9, 17, 1),
    Shift(6, (0, 1, 2), 11, 20, 1),
    Shift(7, (3, 4), 11, 20, 1),
    Shift(8, WEEKEND, 9, 18, 0),
    Shift(9, WEEKEND, 9, 18, 1),
    Shift(6, (5,), 10, 15, 0),
    Shift(2, (5,), 10, 15, 1),
)

# Local hours 0..23. Hours 7 to 19 are those of real days.
HOUR_PROFILE = (
    0.3, 0.2, 0.1, 0.1, 0.1, 0.3, 0.8, 1, 31, 66, 63, 79, 68, 61, 43, 41, 24, 27, 13, 14,
    3.0, 2.0, 1.0, 0.5,
)  # fmt: skip
WEEKDAY_FACTOR = (1.16, 1.06, 1.00, 1.00, 0.97, 0.58, 0.36)


@dataclass(frozen=True)
class ClinicConfig:
    """The mechanism of the clinic; change a field and run again with one seed."""

    services: tuple[Service, ...] = SERVICES
    groups: tuple[Group, ...] = GROUPS
    sources: tuple[Source, ...] = SOURCES
    operators: tuple[Operator, ...] = OPERATORS
    shifts: tuple[Shift, ...] = SHIFTS
    hour_profile: tuple[float, ...] = HOUR_PROFILE
    weekday_factor: tuple[float, ...] = WEEKDAY_FACTOR
    holiday_factor: float = 0.40
    trend_per_year: float = 0.20
    yearly_amplitude: float = 0.08
    day_effect_cv: float = 0.12
    promotion_every_days: int = 37
    promotion_days: int = 3
    promotion_factor: float = 1.7
    promotion_sources: tuple[str, ...] = ("Сайт и другие порталы", "2ГИС")

    fresh_calls_per_day: float = 52.0
    campaign_calls_per_day: float = 42.0
    errand_calls_per_day: float = 22.0
    internal_calls_per_day: float = 6.0

    # What-if levers. Keys are source labels ("" is no source), operators' names,
    # group codes and refusal codes.
    source_multiplier: Mapping[str, float] = field(default_factory=dict)
    booking_shift: float = 0.0
    booking_shift_by_source: Mapping[str, float] = field(default_factory=dict)
    booking_shift_by_group: Mapping[str, float] = field(default_factory=dict)
    refusal_relief: Mapping[str, float] = field(default_factory=dict)
    callback_share: float = 0.70
    callback_speed: float = 1.0
    patience_sec: float = 75.0
    wrapup_sec: float = 15.0

    def __post_init__(self) -> None:
        for label, factor in self.source_multiplier.items():
            if not 0 <= factor <= MAX_SOURCE_MULTIPLIER:
                raise ValueError(
                    f"source_multiplier of {label!r} is {factor}, "
                    f"outside 0..{MAX_SOURCE_MULTIPLIER}"
                )
        known = {group.code for group in self.groups}
        for service in self.services:
            if service.group not in known:
                raise ValueError(f"service {service.service_id} has no group {service.group!r}")

    def is_holiday(self, day: date) -> bool:
        return (day.month, day.day) in HOLIDAYS

    def is_promotion(self, day: date) -> bool:
        """Promotions return at a fixed step, so that a calendar can name them."""
        return day.toordinal() % self.promotion_every_days < self.promotion_days

    def day_factor(self, day: date, origin: date) -> float:
        """Expected volume of a day against a mean working day, promotions apart."""
        if (day.month, day.day) in CLOSED_DAYS:
            return 0.05
        trend = 1 + self.trend_per_year * (day - origin).days / 365
        # People are ill in winter and away in July.
        season = 1 + self.yearly_amplitude * cos(2 * pi * (day.timetuple().tm_yday - 20) / 365)
        week = self.weekday_factor[day.weekday()]
        if self.is_holiday(day):
            week = min(week, self.holiday_factor)
        return trend * season * week

    def roster(self, day: date) -> list[tuple[int, int, int]]:
        """(operator, start hour, end hour) of a day; holidays run as Sundays."""
        if (day.month, day.day) in CLOSED_DAYS:
            return []
        weekday = 6 if self.is_holiday(day) else day.weekday()
        week = (day - timedelta(days=day.weekday())).toordinal() // 7 % 2
        return [
            (shift.operator, shift.start_hour, shift.end_hour)
            for shift in self.shifts
            if weekday in shift.weekdays and shift.week in (None, week)
        ]
