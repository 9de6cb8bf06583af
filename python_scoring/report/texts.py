"""Every word of the report, in Russian and English, and how numbers are written in each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

LANGUAGES = ("ru", "en")
NO_VALUE = "—"

TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("Колл-центр: отчёт за день", "Call centre: today's report"),
    "as_of": ("Состояние на {moment}", "As of {moment}"),
    "period": (
        "Показатели за {days} дн.: {start} – {end}, звонков: {calls}",
        "Indicators of {days} days: {start} to {end}, {calls} calls",
    ),
    "burning": ("Что горит", "What burns"),
    "nothing_burns": (
        "Ничего срочного: просроченных звонков и показателей вне нормы нет.",
        "Nothing is urgent: no call is overdue and no indicator is out of its range.",
    ),
    "run_bad": (
        "Последний расчёт ({moment}) прошёл не весь: {steps}. Полный был {good}; числа могут быть"
        " старыми или неполными.",
        "The last run ({moment}) did not do all: {steps}. The last whole one ended {good}; numbers"
        " may be old or incomplete.",
    ),
    "run_dead": (
        "Расчёт, начатый {moment}, не закончился. Полный был {good}; числа старые.",
        "The run begun {moment} has not ended. The last whole one ended {good}; the numbers are"
        " old.",
    ),
    "run_stale": (
        "Ночной расчёт не шёл: последний полный был {good}; числа старые.",
        "No run came last night: the last whole one ended {good}; the numbers are old.",
    ),
    "never": ("никогда", "never"),
    "step_run": ("расчёт", "the run"),
    "step_build": ("таблицы и их проверки", "tables and their tests"),
    "step_seed": ("справочники", "dictionaries"),
    "step_train": ("обучение моделей", "training of models"),
    "step_score": ("вероятности", "probabilities"),
    "step_forecast": ("прогноз", "forecast"),
    "step_report": ("отчёт", "report"),
    "run_failed": ("ошибка", "failed"),
    "run_time_limit": ("не успел", "out of time"),
    "run_busy": ("база данных была занята или потеряна", "the database was busy or lost"),
    "run_interrupted": ("остановлен", "interrupted"),
    "run_killed": ("оборвался", "broke off"),
    "overdue": ("{name}: просрочено {overdue} из {total}", "{name}: {overdue} of {total} overdue"),
    "bad_indicator": (
        "{name}: {value} — плохо, граница {limit} (n = {n})",
        "{name}: {value}, bad: the limit is {limit} (n = {n})",
    ),
    "worse": (
        "{name}: {value}, было {before} (n = {n})",
        "{name}: {value}, was {before} (n = {n})",
    ),
    "next_week": ("Ближайшие {days} дней", "The next {days} days"),
    "old_week": ("Прогноз на {start} – {end} устарел", "Out of date: forecast of {start} to {end}"),
    "next_text": (
        "{start} – {end}, с теми же операторами и сценариями. В скобках интервал, в который"
        " попадает 8 случаев из 10.",
        "{start} to {end}, with the same operators and scripts. In brackets the interval that holds"
        " 8 times of 10.",
    ),
    "bookings": ("Записи", "Bookings"),
    "booked_value": ("Записано на сумму", "Booked value"),
    "lost_value": ("Упущено", "Lost"),
    "expected_value": ("Ещё ожидается", "Still expected"),
    "on_bookings": ("записей: {n}", "bookings: {n}"),
    "on_lost": (
        "звонков без записи: {n}, и пропущенные",
        "calls without a booking: {n}, and missed",
    ),
    "on_expected": (
        "клиенты, которые запишутся позже сами",
        "callers who book later by themselves",
    ),
    "money": ("Деньги за период", "Money of the period"),
    "money_text": (
        "Оценка по прайсу (lm_services), а не оплаты: запись стоит столько, сколько её услуга.",
        "An estimate by the prices of lm_services, no payments: a booking counts as its service.",
    ),
    "lost": ("Не записались", "Lost calls"),
    "risky": ("Рискованные звонки", "Risky calls"),
    "calls": ("Звонки", "Calls"),
    "talk_minutes": ("Минуты разговоров", "Minutes of talk"),
    "talk_hours": ("Часы разговоров", "Hours of talk"),
    "conversion_rate": ("Конверсия в запись", "Conversion rate"),
    "quality": ("Качество разговоров", "Quality of talks"),
    "was": ("было {value}", "was {value}"),
    "today": ("Что сделать сегодня", "What to do today"),
    "worklist_sum": (
        "Сегодня стоит позвонить стольким клиентам: {today}. Это {minutes} мин (свободно {free})"
        " и в среднем +{rub} ₽ записей.",
        "Clients worth a call today: {today}. That is {minutes} min (of {free} free) and +{rub} ₽"
        " of bookings on average.",
    ),
    "low": ("низкий", "low"),
    "medium": ("средний", "medium"),
    "high": ("высокий", "high"),
    "churn_untold": (
        "Риск ухода пока ничего не предсказывает и красным не выделяется: не вернулись за 90 дней —"
        " {shares}.",
        "The churn risk foretells nothing yet and is not shown in red: not back within 90 days:"
        " {shares}.",
    ),
    "not_worth_it": (
        "Ещё {clients} не окупают времени оператора.",
        "{clients} more do not pay for the operator's time.",
    ),
    "no_minutes": ("На {clients} не хватает минут.", "For {clients} there are no minutes."),
    "worklist": ("Клиенты по порядку", "Clients in order"),
    "brings": ("Даст звонок", "The call brings"),
    "owed": ("обещанный звонок", "a call that is owed"),
    "chance_now": ("запишется с шансом {share}", "chance of a booking {share}"),
    "lists": ("По спискам", "By list"),
    "list_count": (
        "всего {total}, просрочено {overdue}; самые срочные {shown}",
        "{total} in all, {overdue} overdue; the {shown} most urgent",
    ),
    "more": ("Показать ещё {count}", "Show {count} more"),
    "no_lists": ("Звонков, которые требуют действий, нет.", "No call asks for action."),
    "call": ("Звонок", "Call"),
    "due": ("Срок", "Due"),
    "late": ("просрочен", "overdue"),
    "why": ("Почему", "Why"),
    "action": ("Что сделать", "What to do"),
    "operator": ("Оператор", "Operator"),
    "indicators": ("Показатели", "Indicators"),
    "indicators_text": (
        "n — на скольких звонках основано. Изменение к предыдущему такому же периоду; «случайно» —"
        " такая разница бывает и без причины (доверительный интервал 95 %).",
        "n: how many calls it rests on. Change to the period before of the same length; 'chance':"
        " so large a difference also comes without a cause (95 % confidence interval).",
    ),
    "metrics": ("Метрики звонков", "Metrics of calls"),
    "indicator": ("Показатель", "Indicator"),
    "value": ("Значение", "Value"),
    "base": ("n", "n"),
    "change": ("Изменение", "Change"),
    "status": ("Оценка", "Status"),
    "good": ("хорошо", "good"),
    "warning": ("внимание", "watch"),
    "bad": ("плохо", "bad"),
    "insufficient_data": ("мало данных", "too little data"),
    "chance": ("случайно", "chance"),
    "real": ("не случайно", "real"),
    "share_high": ("доля высоких {share}", "high {share}"),
    "share_true": ("доля «да» {share}", "yes {share}"),
    "days_chart": ("Прошлые и ближайшие дни", "Days past and to come"),
    "days_chart_text": (
        "Слева от пунктира то, что было, справа прогноз с интервалом 80 %.",
        "Left of the dashed line what was, right of it the forecast with its 80 % interval.",
    ),
    "chart_base": (
        "в день, {start} – {end}; всего было {total}",
        "a day, {start} to {end}; {total} in all so far",
    ),
    "no_forecast_drawn": ("прогноза нет", "no forecast"),
    "unreviewed_days": (
        "Последние дни (серым штрихом) проверены не все: записи и потери там ещё вырастут.",
        "The last days (dashed grey) are not all reviewed: bookings and losses will still grow.",
    ),
    "operators": ("Операторы при равной сложности", "Operators at equal difficulty"),
    "operators_text": (
        "{days} дней. Сколько записей на 100 желающих больше или меньше, чем в среднем принесли бы"
        " такие же звонки у коллег. Полоса — интервал 95 %: если она задевает ноль, разница может"
        " быть случайной. Это не причина и не повод для санкций, а повод послушать звонки.",
        "{days} days. Bookings per 100 callers who want one, above or below what like calls bring"
        " with the colleagues. The bar is the 95 % interval: where it touches zero the difference"
        " may be chance. An association, no cause: a reason to listen to calls, not to punish.",
    ),
    "per_100": ("на 100 желающих", "per 100 who want one"),
    "wanting": ("Хотели записаться", "Wanted a booking"),
    "qa": ("Оценка", "Quality"),
    "above_peers": ("выше коллег", "above peers"),
    "as_peers": ("как коллеги", "as peers"),
    "below_peers": ("ниже коллег", "below peers"),
    "refusals": ("Почему не записались", "Why callers did not book"),
    "refusals_text": (
        "{days} дней, самые частые причины ({shown}), доля среди {n} потерянных звонков."
        " Стоимость — оценка по прайсу.",
        "{days} days, the {shown} most frequent, share of {n} lost calls. The value is an estimate"
        " by the price list.",
    ),
    "hours": ("Когда теряем звонки", "When calls are lost"),
    "hours_offered": (
        "Входящих в среднем за день, по часам и дням недели",
        "Incoming calls a day on average, by hour and weekday",
    ),
    "hours_abandoned": (
        "Пропущенных в среднем за день, по часам и дням недели",
        "Unanswered calls a day on average, by hour and weekday",
    ),
    "hours_text": (
        "звонков в день, {weeks} нед., {start} – {end}; точка — меньше 0,05",
        "calls a day, {weeks} weeks, {start} to {end}; a dot is under 0.05",
    ),
    "weekdays": ("Пн Вт Ср Чт Пт Сб Вс", "Mon Tue Wed Thu Fri Sat Sun"),
    "hour": ("Час", "Hour"),
    "trust": ("Чему здесь можно верить", "How far to trust this"),
    "unknown": ("Чего отчёт не знает", "What the report does not know"),
    "nothing_unknown": (
        "Пробелов, о которых стоит сказать, не найдено.",
        "No gap worth telling was found.",
    ),
    "models": ("Модели вероятностей", "Probability models"),
    "model": ("Модель", "Model"),
    "trained": ("Обучена", "Trained"),
    "model_learnt": ("модель", "model"),
    "model_base": (
        "базовые частоты: событий для модели мало или она не лучше",
        "base rates: too few events, or no better model",
    ),
    "model_ok": ("в порядке", "fine"),
    "model_stale": ("устарела", "stale"),
    "model_drifted": ("входные данные изменились", "inputs have drifted"),
    "model_miscalibrated": ("вероятности не сходятся с фактом", "off what came"),
    "forecast_quality": ("Прогнозы в прошлом", "Forecasts in the past"),
    "forecast_quality_text": (
        "MASE: ошибка к ошибке «как неделю назад», меньше 1 — лучше. Покрытие: как часто факт"
        " попадал в интервал 80 %.",
        "MASE: error over that of 'as a week ago', below 1 is better. Coverage: how often the fact"
        " lay within the 80 % interval.",
    ),
    "target": ("Что", "What"),
    "coverage": ("Покрытие", "Coverage"),
    "fields": ("Заполнение полей, {days} дней", "How fields are filled, {days} days"),
    "field": ("Поле", "Field"),
    "filled": ("Заполнено", "Filled"),
    "of_calls": ("из", "of"),
    "dictionary": ("Словарь", "Dictionary"),
    "formula": ("Формула", "Formula"),
    "proxy": ("оценка, не точное измерение", "an estimate, not a measurement"),
    "footer": (
        "Все числа из витрин LM. Номеров и имён пациентов здесь нет.",
        "All numbers come from LM's marts. No patient's number or name is in here.",
    ),
    "no_data": (
        "В базе ещё нет ни одного полного дня звонков. Запустите `lm run`; `lm doctor` скажет,"
        " всё ли на месте.",
        "There is no complete day of calls yet. Run `lm run`; `lm doctor` tells whether all is in"
        " place.",
    ),
    "old_data": (
        "Последний день со звонками {day}: на {days} дн. раньше даты отчёта. Свежие звонки не"
        " загружены.",
        "The last day with calls is {day}, {days} days before the report. Newer calls were not"
        " loaded.",
    ),
    "short_history": (
        "История всего {days} дн.: сравнения с прошлым и прогнозы шаткие.",
        "Only {days} days of history: comparisons and forecasts are shaky.",
    ),
    "few_reviews": (
        "Проверено {share} разговоров периода: записи, потери и качество известны только по ним.",
        "{share} of the period's talks are reviewed: bookings, losses and quality are known of"
        " these alone.",
    ),
    "reviews_through": (
        "Проверки полны по {day}: за следующие дни записи и потери ещё вырастут.",
        "Reviews are complete through {day}: later bookings and losses will still grow.",
    ),
    "too_few": ("Мало данных для оценки: {names}.", "Too little data to judge: {names}."),
    "unfilled": (
        "Поле «{field}» заполнено в {share} случаев ({filled} из {calls}).",
        "The field '{field}' is filled in {share} of the cases ({filled} of {calls}).",
    ),
    "not_mapped": (
        "Поле «{field}»: {count} значений нет в справочнике, добавьте их в seeds.",
        "The field '{field}': {count} values are in no map, add them to the seeds.",
    ),
    "no_models": (
        "Вероятностей ещё нет: запустите `lm train` и `lm score`.",
        "There are no probabilities yet: run `lm train` and `lm score`.",
    ),
    "model_problem": ("Модель «{name}»: {what}.", "Model '{name}': {what}."),
    "no_forecast": (
        "Прогноза нет: запустите `lm forecast` (нужны хотя бы 7 дней звонков).",
        "There is no forecast: run `lm forecast` (at least 7 days of calls are needed).",
    ),
    "old_forecast": (
        "Прогноз сделан {day}: он старше отчёта на {days} дн., запустите `lm forecast`.",
        "The forecast was made on {day}, {days} days before the report: run `lm forecast`.",
    ),
    "days_unlike": (
        "В {days} из {all} дней витрины и исходные таблицы считают по-разному: см. vw_lm_tie_out.",
        "On {days} of {all} days marts and source tables count differently: see vw_lm_tie_out.",
    ),
    "proxies": (
        "Оценки, а не измерения: {names}.",
        "Estimates rather than measurements: {names}.",
    ),
    "repeated": ("повторы: {field}", "repeated: {field}"),
    "contradiction": ("противоречия: {field}", "contradictions: {field}"),
    "refused": (
        "отброшено как невозможное или личное: {field}",
        "left out as impossible or personal: {field}",
    ),
    "quarantined": (
        "В карантине звонков: {count}. Их строки не прошли проверку и в показатели не входят"
        " (таблица lm_quarantine).",
        "Calls in quarantine: {count}. Their rows fail a check, and the figures leave them out"
        " (table lm_quarantine).",
    ),
    "odd": (
        "Странности в данных за {days} дн.: {list}.",
        "Oddities in the data of {days} days: {list}.",
    ),
}

FIELDS: Mapping[str, tuple[str, str]] = {
    "checklist": ("чек-лист", "checklist"),
    "checklist_items": ("пункты чек-листа", "checklist items"),
    "refusal": ("причина отказа", "refusal reason"),
    "service": ("услуга", "service"),
    "score": ("оценка", "mark"),
    "outcome": ("итог звонка", "outcome"),
    "category": ("категория", "category"),
    "call_type": ("тип звонка", "call type"),
    "review": ("проверка", "review"),
    "source": ("источник", "source"),
    "operator": ("оператор", "operator"),
    "duration": ("длительность", "duration"),
    "talk": ("время разговора", "talk time"),
    "wait": ("время ожидания", "wait"),
    "number": ("номер", "number"),
    "direction": ("направление", "direction"),
    "start": ("начало звонка", "start"),
    "target": ("целевой", "target mark"),
    "duration_below_talk": ("длительность меньше разговора", "duration below talk"),
    "review_date": ("дата проверки", "date of review"),
    "review_before_call": ("проверка раньше звонка", "review before the call"),
    "start_in_future": ("начало в будущем", "start in the future"),
}

UNITS: Mapping[str, tuple[str, str]] = {
    "sec": ("с", "s"),
    "min": ("мин", "min"),
    "hours": ("ч", "h"),
    "days": ("дн.", "days"),
    "rub": ("₽", "₽"),
    "percent": ("%", "%"),
}


class Words:
    """The texts of one language and its way of writing numbers and dates."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._place = LANGUAGES.index(language)

    def __call__(self, key: str, **values: Any) -> str:
        return TEXTS[key][self._place].format(**values)

    def field(self, code: str) -> str:
        return FIELDS[code][self._place] if code in FIELDS else code

    def named(self, row: Mapping[str, Any], stem: str = "name") -> str:
        return str(row[f"{stem}_{self.language}"] or "")

    def number(self, value: float | None, digits: int = 0) -> str:
        """1 234,5 in Russian, 1,234.5 in English; the space is one that does not break."""
        if value is None:
            return NO_VALUE
        text = f"{value:,.{digits}f}"
        if text.strip("-0.,") == "":
            text = text.lstrip("-")
        if self.language == "ru":
            text = text.replace(",", "\u202f").replace(".", ",")
        return text.replace("-", "\u2212")

    def share(self, value: float | None, digits: int = 0) -> str:
        return NO_VALUE if value is None else f"{self.number(100 * value, digits)}\u00a0%"

    def level(self, value: float | None, unit: str) -> str:
        """A level in its unit: shares as per cent, the rest with few digits."""
        if value is None:
            return NO_VALUE
        if unit in ("share", "probability"):
            return self.share(value, 1)
        digits = 0 if abs(value) >= 100 else 1
        name = UNITS.get(unit, ("", ""))[self._place]
        return self.number(value, digits) + (f"\u00a0{name}" if name else "")

    def signed(self, value: float | None, unit: str) -> str:
        """A change: shares and per cents in points."""
        if value is None:
            return NO_VALUE
        sign = "+" if value > 0 else ""
        if unit in ("share", "probability", "percent"):
            points = "п.п." if self.language == "ru" else "pp"
            scale = 1 if unit == "percent" else 100
            return f"{sign}{self.number(scale * value, 1)}\u00a0{points}"
        return sign + self.level(value, unit)

    def day(self, value: date | datetime, year: bool = False) -> str:
        if self.language == "ru":
            return f"{value:%d.%m.%Y}" if year else f"{value:%d.%m}"
        return f"{value.day} {value:%b %Y}" if year else f"{value.day} {value:%b}"

    def moment(self, value: datetime) -> str:
        return f"{self.day(value, year=True)} {value:%H:%M}"
