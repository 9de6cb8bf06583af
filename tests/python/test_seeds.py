"""The seeds: keys, texts in both languages, codes that refer to each other."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from oracle_base import GATE_ORDER

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
SPECS = {
    seed["name"]: seed
    for seed in yaml.safe_load((SEEDS / "_seeds.yml").read_text("utf-8"))["seeds"]
}

KEYS = {
    "call_categories": ["label"],
    "call_directions": ["label"],
    "call_outcomes": ["label"],
    "call_types": ["label"],
    "lm_action_lists": ["list_code"],
    "lm_calc_profiles": ["priority"],
    "lm_checklist": ["checklist", "valid_from", "item_no"],
    "lm_holidays": ["calendar_date"],
    "lm_kpi_dictionary": ["kpi_code"],
    "lm_metric_dictionary": ["metric_code"],
    "lm_reason_dictionary": ["reason_code", "metric_code"],
    "lm_refusal_names": ["refusal_code"],
    "lm_rule_params": ["metric_code", "param", "calc_profile"],
    "lm_score_calibration": ["valid_from"],
    "lm_service_affinity": ["service_group", "other_group"],
    "lm_services": ["service_id"],
    "lm_operators": ["operator_name"],
    "lm_special_days": ["calendar_date"],
    "lm_status_rules": ["metric_code", "period_days", "measure"],
    "lm_versions": ["lm_version"],
    "refusal_reasons": ["refusal_reason"],
}
NORMALISED = {
    "call_categories": "label",
    "call_directions": "label",
    "call_outcomes": "label",
    "call_types": "label",
    "lm_checklist": "checklist",
    "refusal_reasons": "refusal_reason",
}
# Public names: others may join them, none may go.
METRICS = {
    "operational": ["response_speed_score", "talk_time_efficiency", "queue_impact_index"],
    "conversion": ["conversion_score", "lost_opportunity_score", "cross_sell_potential"],
    "quality": ["checklist_coverage_ratio", "normalized_call_score", "script_risk_index"],
    "risk": ["churn_risk_level", "complaint_risk_flag", "followup_needed_flag"],
    "forecast": ["conversion_prob_forecast", "second_call_prob", "complaint_prob"],
    "aux": ["lm_version", "calc_profile", "feature_pack"],
}
MISSING = {
    "await_sec",
    "duration",
    "outcome",
    "caller_history",
    "ticket",
    "service",
    "checklist",
    "score",
}
EXCLUDED = {"spam", "tech", "fail", "data_error", "reserve", "autoinformer"}
RISKS_BY_REFUSAL = ("lost_opportunity_score", "churn_risk_level", "complaint_risk_flag")


@cache
def rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def column(name: str, key: str) -> list[str]:
    return [row[key] for row in rows(name)]


def split(text: str) -> list[str]:
    return text.split("|") if text else []


def normalise(text: str) -> str:
    return re.sub(r"\s+", " ", text.strip()).lower().replace("ё", "е")


def loosely(text: str) -> str:
    """As the widest collation compares: without case, accents and the end's spaces."""
    decomposed = unicodedata.normalize("NFD", text.casefold().rstrip())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def is_russian(text: str) -> bool:
    return re.search("[а-яё]", text, re.IGNORECASE) is not None


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{([^{}]*)\}", text))


METRIC_ROWS = pytest.mark.parametrize(
    "row", rows("lm_metric_dictionary"), ids=lambda row: row["metric_code"]
)
REASON_ROWS = pytest.mark.parametrize(
    "row",
    rows("lm_reason_dictionary"),
    ids=lambda row: f"{row['reason_code']}-{row['metric_code']}",
)
EVERY_SEED = pytest.mark.parametrize("name", sorted(KEYS))


def test_every_seed_is_described() -> None:
    assert set(SPECS) == {path.stem for path in SEEDS.glob("*.csv")} == set(KEYS)


@EVERY_SEED
def test_file_is_clean(name: str) -> None:
    raw = (SEEDS / f"{name}.csv").read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    for row in rows(name):
        assert None not in row and None not in row.values(), f"{row} has another number of fields"
        for key, text in row.items():
            assert text == text.strip(), f"{key} {text!r}"
            assert unicodedata.is_normalized("NFC", text), f"{key} {text!r}"
            assert text.lower() != "null", f"dbt reads {text!r} as a null"


@EVERY_SEED
def test_columns_are_typed_and_described(name: str) -> None:
    header = list(rows(name)[0])
    spec = SPECS[name]
    assert list(spec["config"]["column_types"]) == header
    assert [described["name"] for described in spec["columns"]] == header
    assert spec["description"] and all(described["description"] for described in spec["columns"])


@EVERY_SEED
def test_contents_fit_their_types(name: str) -> None:
    for key, kind in SPECS[name]["config"]["column_types"].items():
        for text in filter(None, column(name, key)):
            if width := re.fullmatch(r"varchar\((\d+)\)", kind):
                assert len(text) <= int(width[1]), f"{key} {text!r}"
            elif kind == "int":
                assert re.fullmatch(r"-?\d+", text), f"{key} {text!r}"
            elif kind == "date":
                assert date.fromisoformat(text).isoformat() == text
            elif digits := re.fullmatch(r"decimal\((\d+),(\d+)\)", kind):
                assert re.fullmatch(r"-?\d+(\.\d+)?", text), f"{key} {text!r}"
                whole, _, fraction = text.lstrip("-").partition(".")
                assert len(fraction) <= int(digits[2]), f"{key} {text!r}"
                assert len(whole) <= int(digits[1]) - int(digits[2]), f"{key} {text!r}"
            else:
                assert kind == "text", f"{key} has type {kind}"


@EVERY_SEED
def test_key_is_unique_under_any_collation(name: str) -> None:
    keys = [tuple(loosely(row[key]) for key in KEYS[name]) for row in rows(name)]
    assert all(all(key) for key in keys)
    assert len(keys) == len(set(keys)), sorted(key for key in set(keys) if keys.count(key) > 1)


@pytest.mark.parametrize(("name", "key"), sorted(NORMALISED.items()))
def test_labels_are_normalised(name: str, key: str) -> None:
    for text in column(name, key):
        assert text == normalise(text)
        assert text not in {"none", "nan", "null"}, "staging makes these a null"


def test_dictionary_has_every_metric() -> None:
    found = defaultdict(list)
    for row in rows("lm_metric_dictionary"):
        found[row["metric_group"]].append(row["metric_code"])
    assert set(found) == set(METRICS)
    for group, metrics in METRICS.items():
        assert set(metrics) <= set(found[group])


@METRIC_ROWS
def test_metric_scale(row: dict[str, str]) -> None:
    units = {"points_0_100": ("0", "100"), "percent": ("0", "100"), "probability": ("0", "1")}
    scale = (row["scale_min"], row["scale_max"])
    if row["metric_group"] == "aux":
        assert scale == ("", "")
        assert row["direction"] == "neutral"
    else:
        assert float(row["scale_min"]) < float(row["scale_max"])
        assert scale == units.get(row["unit"], scale)
        assert row["direction"] != "neutral"


@METRIC_ROWS
def test_metric_labels_suit_its_kind(row: dict[str, str]) -> None:
    labels = split(row["allowed_labels"])
    assert len(labels) == len(set(labels))
    assert all(re.fullmatch("[a-z_]+", label) for label in labels)
    if row["value_kind"] == "flag":
        assert labels == ["true", "false"]
    elif row["value_kind"] == "json" or row["metric_group"] == "aux":
        assert labels == [], "no label, or an open list of versions and profiles"
    elif row["value_kind"] == "label":
        assert labels
    assert (row["unit"] == "json") == (row["value_kind"] == "json")


@METRIC_ROWS
def test_metric_lists(row: dict[str, str]) -> None:
    gates = split(row["gates"])
    assert gates == [gate for gate in GATE_ORDER if gate in gates]
    methods = split(row["calc_method"])
    assert methods == [m for m in ("rule", "empirical_bayes", "regression", "gbm") if m in methods]
    for key in ("inputs", "used_in"):
        names = split(row[key])
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert split(row["used_in"])
    assert re.fullmatch(r"lm_\d{4}_\d{2}\.\d+", row["since_version"])


@METRIC_ROWS
def test_metric_texts(row: dict[str, str]) -> None:
    for key in ("name", "description"):
        assert is_russian(row[f"{key}_ru"])
        assert row[f"{key}_en"] and not is_russian(row[f"{key}_en"])
    for language, empty in (("ru", "пуст"), ("en", "empty")):
        text = row[f"description_{language}"]
        assert text.endswith(".")
        assert empty in text.lower(), "says when there is no value"
    assert row["formula"] and not is_russian(row["formula"])


@REASON_ROWS
def test_reason_texts(row: dict[str, str]) -> None:
    assert re.fullmatch("[A-Z][A-Z0-9_]*|[a-z_]+", row["reason_code"])
    assert is_russian(row["sentence_ru"])
    assert row["sentence_en"] and not is_russian(row["sentence_en"])
    assert bool(row["action_ru"]) == bool(row["action_en"])
    assert not row["action_ru"] or is_russian(row["action_ru"])
    assert not is_russian(row["action_en"])
    for key in ("sentence_ru", "sentence_en", "action_ru", "action_en"):
        assert not row[key].endswith("."), "sentences are joined by whoever shows them"


@REASON_ROWS
def test_placeholders_are_valid(row: dict[str, str]) -> None:
    russian = placeholders(row["sentence_ru"])
    assert russian == placeholders(row["sentence_en"])
    marks = {"value", "value%", "ref", "points", "points%", "told"}
    assert set(russian) <= (marks if row["kind"] == "reason" else set())
    for key in ("sentence_ru", "sentence_en"):
        assert row[key].count("{") == row[key].count("}") == len(russian)
    assert not placeholders(row["action_ru"] + row["action_en"])


def test_reasons_refer_to_metrics() -> None:
    metrics = set(column("lm_metric_dictionary", "metric_code"))
    for row in rows("lm_reason_dictionary"):
        if row["kind"] == "closed":
            assert row["metric_code"] in metrics, row
        else:
            assert row["metric_code"] in metrics | {"*"}, row


def test_every_gate_has_a_sentence() -> None:
    general = {
        row["reason_code"]
        for row in rows("lm_reason_dictionary")
        if row["kind"] == "gate" and row["metric_code"] == "*"
    }
    assert general == set(GATE_ORDER)
    gates = {row["metric_code"]: split(row["gates"]) for row in rows("lm_metric_dictionary")}
    for row in rows("lm_reason_dictionary"):
        if row["kind"] == "gate" and row["metric_code"] != "*":
            assert row["reason_code"] in gates[row["metric_code"]], row


def test_every_missing_input_has_a_sentence() -> None:
    found = {
        row["reason_code"]
        for row in rows("lm_reason_dictionary")
        if row["kind"] == "missing" and row["metric_code"] == "*"
    }
    assert found == MISSING


def test_refusal_codes_agree() -> None:
    codes = set(column("refusal_reasons", "refusal_code"))
    assert len(codes) == 11
    mapped = {row["refusal_reason"]: row["refusal_code"] for row in rows("refusal_reasons")}
    assert {code: mapped[code.lower()] for code in codes} == {code: code for code in codes}
    assert codes <= set(column("lm_refusal_names", "refusal_code"))
    reasons = {(row["reason_code"], row["metric_code"]) for row in rows("lm_reason_dictionary")}
    for metric in RISKS_BY_REFUSAL:
        assert {(f"REFUSAL_{code}", metric) for code in codes} <= reasons


def test_categories() -> None:
    seen = set()
    for row in rows("call_categories"):
        assert row["is_excluded"] == str(int(row["call_category"] in EXCLUDED)), row
        seen.add(row["call_category"])
    spec = SPECS["call_categories"]["columns"][2]["data_tests"]
    assert seen == set(spec[1]["accepted_values"]["arguments"]["values"])
    numbers = [number for number in column("call_categories", "number_category") if number]
    assert len(numbers) == len(set(numbers))


def test_holidays() -> None:
    for row in rows("lm_holidays"):
        day = date.fromisoformat(row["calendar_date"])
        if row["day_kind"] == "workday":
            assert day.weekday() == 5, f"{day} is no Saturday"
        assert is_russian(row["name_ru"])
        assert row["name_en"] and not is_russian(row["name_en"])
    assert column("lm_holidays", "calendar_date") == sorted(column("lm_holidays", "calendar_date"))


def test_checklists_are_whole() -> None:
    lists = defaultdict(list)
    for row in rows("lm_checklist"):
        assert float(row["weight"]) > 0
        lists[row["checklist"], row["valid_from"]].append(int(row["item_no"]))
    for name, items in lists.items():
        assert items == list(range(1, len(items) + 1)), name


def test_affinity_refers_to_service_groups() -> None:
    groups = set(column("lm_services", "service_group"))
    for row in rows("lm_service_affinity"):
        assert {row["service_group"], row["other_group"]} <= groups, row
        assert row["service_group"] != row["other_group"]
        assert 0 < float(row["confidence"]) < 1


def test_calibration_periods_do_not_overlap() -> None:
    periods = sorted((row["valid_from"], row["valid_to"]) for row in rows("lm_score_calibration"))
    assert all(first <= last for first, last in periods)
    for (_, end), (start, _) in pairwise(periods):
        assert end < start


def test_parameters_refer_to_metrics_and_profiles() -> None:
    metrics = set(column("lm_metric_dictionary", "metric_code")) | {"*"}
    profiles = set(column("lm_calc_profiles", "calc_profile"))
    for row in rows("lm_rule_params"):
        assert row["metric_code"] in metrics, row
        assert row["calc_profile"] in profiles, row
