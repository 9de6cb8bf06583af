"""What is said of an effect, in Russian and English: where its numbers are from, what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from python_scoring.whatif.scenario import Effect

HISTORY, ASSUMPTION, ASSOCIATION = "own_history", "assumption", "association"

# Code: (basis, English, Russian).
TEXTS = {
    "assumed": (
        ASSUMPTION,
        "{what}: {size:g} is the scenario's assumption and taken as exact; give `between` for its"
        " uncertainty",
        "{what}: {size:g} — допущение сценария, принято как точное; разброс задаёт `between`",
    ),
    "assumed_range": (
        ASSUMPTION,
        "{what}: the size is the scenario's assumption, {low:g} to {high:g} with 80 %",
        "{what}: размер — допущение сценария, от {low:g} до {high:g} с вероятностью 80 %",
    ),
    "traffic": (
        HISTORY,
        "{what}: {n} first calls of new callers in eight weeks, each followed by {later:.2f}"
        " further calls (both directions); callers known before go on to call",
        "{what}: {n} первых звонков новых людей за восемь недель, за каждым ещё {later:.2f} звонка"
        " в обе стороны; прежние клиенты звонят по-прежнему",
    ),
    "operator": (
        HISTORY,
        "{what}: {before:.0f} hours on shift become {after:.0f}, by the first and last calls of"
        " the same days before; {n} calls in the log",
        "{what}: часов на смене было бы {before:.0f}, станет {after:.0f} (по первым и последним"
        " звонкам таких же дней); {n} звонков в истории",
    ),
    "new_operator": (
        ASSUMPTION,
        "{what}: {after:.0f} hours by somebody who books and talks like this colleague ({n} calls)",
        "{what}: {after:.0f} часов; принято, что новый человек записывает и говорит, как этот"
        " коллега ({n} звонков)",
    ),
    "extra_people": (
        ASSUMPTION,
        "{what}: {people:+d} people of mean level",
        "{what}: {people:+d} человек среднего уровня",
    ),
    "answered_share": (
        HISTORY,
        "{what}: {share:.1%} of {n} incoming calls were answered in eight weeks",
        "{what}: за восемь недель отвечено {share:.1%} из {n} входящих",
    ),
    "queue": (
        HISTORY,
        "{what}: missed calls follow the people on shift as in Erlang A by {slope:.2f} ±"
        " {error:.2f} (1 is as in theory; {n} missed calls, patience {patience:.0f} s, handling"
        " {aht:.0f} s)",
        "{what}: пропуски зависят от числа людей как у Эрланга A с силой {slope:.2f} ± {error:.2f}"
        " (1 — как в теории; {n} пропущенных, терпение {patience:.0f} с, разговор {aht:.0f} с)",
    ),
    "queue_weak": (
        ASSUMPTION,
        "{what}: the log does not show that missed calls depend on the people on shift (strength"
        " {slope:.2f} ± {error:.2f}, {n} missed calls): the effect on answering is an assumption",
        "{what}: по истории не видно, что пропуски зависят от числа людей (сила {slope:.2f} ±"
        " {error:.2f}, {n} пропущенных): влияние на ответы — допущение",
    ),
    "queue_unknown": (
        ASSUMPTION,
        "{what}: {n} missed calls are too few to learn from: Erlang A is taken as it is",
        "{what}: {n} пропущенных — слишком мало, взята формула Эрланга A без поправки",
    ),
    "conversion": (
        HISTORY,
        "{what}: {rate:.1%} now ({low_end:.1%}–{high_end:.1%}, {n} calls that wanted a booking),"
        " {after:.1%} in the scenario",
        "{what}: сейчас {rate:.1%} ({low_end:.1%}–{high_end:.1%}, {n} обращений с желанием"
        " записаться), в сценарии {after:.1%}",
    ),
    "association": (
        ASSOCIATION,
        "{what}: how this segment differs from others is an association, not a cause: its callers"
        " differ, too",
        "{what}: отличие этой группы от других — связь, а не причина: и люди в ней другие",
    ),
    "levels": (
        ASSOCIATION,
        "operators' different booking rates are associations: their shifts bring them different"
        " callers",
        "разный уровень записи у операторов — связь, а не причина: смены приводят к ним разных"
        " людей",
    ),
    "refusal": (
        HISTORY,
        "{what}: {share:.1%} of the lost calls have this reason ({n} in eight weeks); that they"
        " would book without it is an assumption",
        "{what}: эта причина у {share:.1%} потерь ({n} за восемь недель); что без неё люди"
        " запишутся — допущение",
    ),
    "call_backs": (
        HISTORY,
        "{what}: within {within:g} min {already:.1%} of the missed calls were returned so far; a"
        " call-back ends in a booking in {booked:.1%} ({n} call-backs)",
        "{what}: до сих пор за {within:g} мин перезванивали по {already:.1%} пропущенных; записью"
        " кончается {booked:.1%} таких звонков ({n} звонков)",
    ),
    "survivors": (
        ASSOCIATION,
        "{what}: who is called back soon may differ from the others, and who rang again himself is"
        " not among them: an association",
        "{what}: те, кому перезвонили быстро, могли отличаться от остальных, а дозвонившихся самих"
        " среди них нет: это связь, а не причина",
    ),
    "few": (
        ASSUMPTION,
        "{what}: {n} calls are too few for an effect of its own history: read it as an assumption",
        "{what}: {n} звонков мало, чтобы опираться на историю: считайте это допущением",
    ),
}
NAMES = {
    "traffic": ("traffic", "поток"),
    "operator": ("operator", "оператор"),
    "new_operator": ("new operator like", "новый оператор как"),
    "answering": ("answering", "ответы"),
    "conversion": ("conversion", "конверсия"),
    "refusal": ("refusal", "отказ"),
    "call_backs": ("call-backs", "перезвоны"),
}


@dataclass(frozen=True)
class Said:
    """A sentence on an effect. `basis` is own_history, assumption or association."""

    code: str
    basis: str
    text_en: str
    text_ru: str
    figures: dict[str, float]


def render_said(code: str, effect: Effect | None = None, **figures: Any) -> Said:
    """The sentence of a code; `low` says that there is too little to learn from."""
    few = bool(figures.pop("low", False)) if code not in ("assumed_range",) else False
    basis, english, russian = TEXTS[code]
    texts = []
    for language, text in enumerate((english, russian)):
        what = ""
        if effect is not None:
            name = "" if effect.name == "all" else f" {effect.name}"
            what = NAMES[effect.kind][language] + name
        told = text.format(what=what, **figures)
        if few:
            told += "; " + TEXTS["few"][1 + language].format(what=what, n=figures["n"])
        texts.append(told)
    return Said(code, ASSUMPTION if few else basis, texts[0], texts[1], dict(figures))
