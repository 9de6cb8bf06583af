"""What `lm dictionary` writes: doc blocks and dbt metrics under models/docs, and a stamp."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import yaml

from python_scoring.base.errors import ConfigurationError
from python_scoring.base.project import PROJECT_FILE
from python_scoring.dictionary.markdown import link, table
from python_scoring.dictionary.metric_page import page
from python_scoring.dictionary.seeds import Dictionary, Row

OVERVIEW = Path(__file__).parent / "overview.md"
FOLDER = Path("models", "docs")
STAMP = "# Macro descriptions: "
NOTE = "Written by `lm dictionary` from the seeds: change those, then run it."

GROUPS = {
    "operational": ("Работа линии", "Operational"),
    "conversion": ("Запись и потери", "Conversion"),
    "quality": ("Качество разговора", "Quality"),
    "risk": ("Риски и дела", "Risk"),
    "forecast": ("Вероятности", "Forecast"),
    "aux": ("Служебные", "Auxiliary"),
}
# What a dbt metric is over calls; the mean of the values unless named here: (aggregation, SQL).
FLAG = "case {code}_label when 'true' then 1 when 'false' then 0 end"
MEASURES = {
    "complaint_risk_flag": ("average", FLAG),
    "followup_needed_flag": ("average", FLAG),
    "lm_version": ("count_distinct", "lm_version"),
    "calc_profile": ("count_distinct", "calc_profile"),
    "feature_pack": ("count", "history_id"),
}
DIMENSIONS = ("direction", "operator_name", "source_channel", "service_group")
MEANS = {
    "average": "mean of the calls' values",
    "count_distinct": "how many of them the calls have",
    "count": "calls that have one",
}


def files(dictionary: Dictionary, project: Path) -> dict[Path, str]:
    """Text of every written file, by its path in the project."""
    return {
        Path(PROJECT_FILE): stamped(project),
        FOLDER / "overview.md": overview(dictionary),
        FOLDER / "metric_pages.md": metric_pages(dictionary),
        FOLDER / "kpi_pages.md": kpi_pages(dictionary),
        FOLDER / "_metrics.yml": metrics_yml(dictionary),
    }


def stamped(project: Path) -> str:
    """dbt_project.yml with the hash of the macros' descriptions in its last line.

    dbt stops with "found two macros" when it meets a changed description of a macro and has the
    project parsed already. A change of dbt_project.yml makes it parse the project anew.
    """
    digest = hashlib.sha256()
    for path in sorted((project / "macros").glob("**/*.yml")):
        digest.update(path.read_bytes())
    text = (project / PROJECT_FILE).read_text(encoding="utf-8")
    kept, mark, _ = text.rpartition(STAMP)
    if not mark:
        raise ConfigurationError(f"{PROJECT_FILE} must end with the line '{STAMP}...'")
    return f"{kept}{STAMP}{digest.hexdigest()[:16]}\n"


def overview(dictionary: Dictionary) -> str:
    """The first page of the site."""
    text = OVERVIEW.read_text(encoding="utf-8")
    for at, language in enumerate(("ru", "en")):
        parts = []
        for group, names in GROUPS.items():
            rows = [m for m in dictionary.metrics if m["metric_group"] == group]
            parts.append(f"**{names[at]}** (`{group}`)\n\n" + _listed(rows, language))
        text = text.replace("{metrics_" + language + "}", "\n\n".join(parts))
    return _block("__overview__", text)


def metric_pages(dictionary: Dictionary) -> str:
    """A doc block a metric."""
    return "\n".join(
        _block(_block_name(metric), page(dictionary, metric)) for metric in dictionary.metrics
    )


def kpi_pages(dictionary: Dictionary) -> str:
    """One doc block with every KPI's definition and formula."""
    parts = []
    for language, head in (
        ("ru", ("KPI", "Что значит", "Единица", "Формула по lm_daily_facts")),
        ("en", ("KPI", "Meaning", "Unit", "Formula over lm_daily_facts")),
    ):
        rows = (
            (
                f"**{kpi[f'name_{language}']}** `{kpi['kpi_code']}`",
                kpi[f"description_{language}"],
                kpi["unit"],
                f"`{kpi['formula']}`",
            )
            for kpi in dictionary.kpis
        )
        parts.append(table(head, rows))
    return _block("lm_kpis", "\n\n".join(parts))


def metrics_yml(dictionary: Dictionary) -> str:
    """dbt's own metrics: each has a page of its own, with its lineage."""
    measures, metrics = [], []
    for metric in dictionary.metrics:
        code = metric["metric_code"]
        aggregation, expression = MEASURES.get(code, ("average", code))
        measures.append(
            {
                "name": code,
                "agg": aggregation,
                "expr": expression.format(code=code),
                "description": f"{metric['name_en']}, {MEANS[aggregation]}.",
            }
        )
        metrics.append(
            {
                "name": code,
                "label": metric["name_ru"],
                "description": f"{{{{ doc('{_block_name(metric)}') }}}}",
                "type": "simple",
                "type_params": {"measure": code},
                "config": {
                    "meta": {
                        "group": metric["metric_group"],
                        "since_version": metric["since_version"],
                    },
                },
            }
        )
    call_date = {
        "name": "call_date",
        "type": "time",
        "type_params": {"time_granularity": "day"},
        "description": "Local date of the start.",
    }
    calls = {
        "name": "calls_with_metrics",
        "description": "One row a call, a column a metric. What dbt's metrics are counted from.",
        "model": "ref('vw_lm_call_features')",
        "defaults": {"agg_time_dimension": "call_date"},
        "entities": [{"name": "history_id", "type": "primary", "description": "The call."}],
        "dimensions": [call_date, *({"name": n, "type": "categorical"} for n in DIMENSIONS)],
        "measures": measures,
    }
    document = {"version": 2, "semantic_models": [calls], "metrics": metrics}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return f"# {NOTE}\n{text}"


def _listed(metrics: Iterable[Row], language: str) -> str:
    head = {"ru": ("Показатель", "О чём говорит"), "en": ("Metric", "What it tells")}[language]
    return table(
        head,
        (
            (
                link(m["metric_code"], m[f"name_{language}"], "metric") + f" `{m['metric_code']}`",
                m[f"description_{language}"].split(". ")[0].rstrip(".") + ".",
            )
            for m in metrics
        ),
    )


def _block_name(metric: Row) -> str:
    return f"lm_metric_{metric['metric_code']}"


def _block(name: str, text: str) -> str:
    return f"{{% docs {name} %}}\n\n{text.strip()}\n\n{{% enddocs %}}\n"
