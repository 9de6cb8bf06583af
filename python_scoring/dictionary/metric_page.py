"""The page of a metric, in Russian and then in English, from the seeds and its worked example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from python_scoring.dictionary.markdown import codes, link, pattern, sentence, table
from python_scoring.dictionary.seeds import Dictionary, Row

KINDS = {
    "numeric": ("число", "number"),
    "label": ("метка", "label"),
    "flag": ("флаг", "flag"),
    "json": ("набор полей", "set of fields"),
}
UNITS = {
    "points_0_100": ("баллы", "points"),
    "percent": ("проценты", "per cent"),
    "probability": ("вероятность", "probability"),
    "code": ("код", "code"),
    "json": ("JSON", "JSON"),
}
DIRECTIONS = {
    "higher_better": ("чем больше, тем лучше", "higher is better"),
    "lower_better": ("чем меньше, тем лучше", "lower is better"),
    "neutral": ("само по себе не хорошо и не плохо", "neither way is better"),
}
# Headings and phrases in Russian and English.
WORDS = {
    "ru": {
        "facts": "Коротко",
        "example": "Пример",
        "shipped": "Числа правил — из поставки; у клиники они могут быть другими.",
        "result": "Итог",
        "label": "метка",
        "reasons": "Причины, которые объясняют значение",
        "gates": "Когда значения нет",
        "formula": "Как считается",
        "read": "Что смотреть",
        "empty": "Числа у неё нет.",
        "text": "Причина словами",
        "action": "Что делать",
        "code": "Код",
        "points": "Вклад",
        "fields": "Поля value_json",
        "gateless": "Значение есть у каждого звонка.",
    },
    "en": {
        "facts": "In short",
        "example": "Example",
        "shipped": "With the rules' numbers as shipped; a clinic may have changed them.",
        "result": "Result",
        "label": "label",
        "reasons": "Reasons that explain the value",
        "gates": "When there is no value",
        "formula": "How it is computed",
        "read": "Where to look",
        "empty": "It has no number.",
        "text": "The reason in words",
        "action": "What to do",
        "code": "Code",
        "points": "Points",
        "fields": "Fields of value_json",
        "gateless": "Every call has it.",
    },
}


def page(dictionary: Dictionary, metric: Row) -> str:
    """Markdown of one metric; the first sentence is the grain."""
    code = metric["metric_code"]
    parts = [
        f"One row of {link('lm_value')} a call: **{metric['name_ru']}** · {metric['name_en']}.",
        *_in_language(dictionary, metric, "ru"),
        "---",
        *_in_language(dictionary, metric, "en"),
        _numbers(dictionary, code),
    ]
    return "\n\n".join(part for part in parts if part)


def _in_language(dictionary: Dictionary, metric: Row, language: str) -> list[str]:
    words = WORDS[language]
    code = metric["metric_code"]
    example = dictionary.examples[code]
    parts = [
        f"## {metric[f'name_{language}']}",
        metric[f"description_{language}"],
        _facts(metric, language),
        f"### {words['example']}",
        f"{example[f'text_{language}']} *{words['shipped']}*",
        _worked(example, language),
        _told(dictionary, code, example, language),
        f"### {words['reasons']}" if dictionary.reasons_of(code) else "",
        table(
            (words["code"], words["text"], words["action"]),
            (
                (
                    f"`{r['reason_code']}`",
                    pattern(r[f"sentence_{language}"]),
                    r[f"action_{language}"],
                )
                for r in dictionary.reasons_of(code)
            ),
        ),
        f"### {words['gates']}",
        table(
            (words["code"], words["text"]),
            (
                (f"`{gate}`", dictionary.text(gate, code)[f"sentence_{language}"])
                for gate in metric["gates"].split("|")
                if gate
            ),
        )
        or words["gateless"],
    ]
    if language == "en":
        parts += [f"### {words['formula']}", metric["formula"]]
    return parts


def _facts(metric: Row, language: str) -> str:
    at = ("ru", "en").index(language)
    rows = [
        (("Вид", "Kind")[at], _pair(KINDS, metric["value_kind"], at)),
        (("Единица", "Unit")[at], _pair(UNITS, metric["unit"], at)),
        (("Границы", "Range")[at], _range(metric)),
        (("Метки", "Labels")[at], codes(metric["allowed_labels"])),
        (("Направление", "Direction")[at], _pair(DIRECTIONS, metric["direction"], at)),
        (("Группа", "Group")[at], f"`{metric['metric_group']}`"),
        (("Чем считается", "Computed by")[at], codes(metric["calc_method"])),
        (("Входные поля", "Inputs")[at], codes(metric["inputs"])),
        (
            ("Где используется", "Used in")[at],
            ", ".join(link(name) for name in metric["used_in"].split("|")),
        ),
        (("С версии", "Since")[at], f"`{metric['since_version']}`"),
    ]
    return table((WORDS[language]["facts"], ""), ((name, value) for name, value in rows if value))


def _worked(example: Mapping[str, Any], language: str) -> str:
    words = WORDS[language]
    lines = [f"{name} = {value}" for name, value in example["call"].items()]
    for constant, keys in example.get("constants", {}).items():
        for key, row in keys.items():
            lines.append(f"{constant}({key}) = {row['value']}, n = {row['n']}")
    if batch := example.get("batch"):
        lines.append(f"reviews = {batch['reviews']}, above 10: {batch['share_over_10']}")
    lines += [""] * bool(lines and example["steps"])
    lines += example["steps"]
    shown = "" if not lines else "```\n" + "\n".join(lines) + "\n```"
    value = words["empty"] if example["value"] is None else f"`{example['value']}`"
    label = f", {words['label']} `{example['label']}`" if example["label"] else ""
    if example["value"] is None and label:
        value, label = f"{words['label']} `{example['label']}`", ""
    return f"{shown}\n\n{words['result']}: {value}{label}"


def _told(dictionary: Dictionary, code: str, example: Mapping[str, Any], language: str) -> str:
    words = WORDS[language]
    reasons = table(
        (words["code"], words["points"], words["text"]),
        (
            (
                f"`{reason['code']}`",
                f"{reason['points']:g}",
                sentence(
                    dictionary.text(reason["code"], code)[f"sentence_{language}"], reason, language
                ),
            )
            for reason in example["reasons"]
        ),
    )
    fields = example.get("told", {})
    listed = ", ".join(f"`{name}` = `{value}`" for name, value in fields.items())
    return "\n\n".join(
        part for part in (reasons, listed and f"{words['fields']}: {listed}") if part
    )


def _numbers(dictionary: Dictionary, code: str) -> str:
    rows = [
        (f"`{r['param']}`", f"`{r['calc_profile']}`", r["value"], r["unit"], r["description"])
        for r in dictionary.params_of(code)
    ]
    if not rows:
        return ""
    shown = table(("Parameter", "Profile", "Value", "Unit", "Meaning"), rows)
    return f"### Numbers that a clinic may change\n\nRows of {link('lm_rule_params')}.\n\n{shown}"


def _range(metric: Row) -> str:
    return f"{metric['scale_min']}..{metric['scale_max']}" if metric["scale_max"] else ""


def _pair(names: Mapping[str, tuple[str, str]], code: str, at: int) -> str:
    return names[code][at] if code else ""
