"""Trained models: files outside the repository, known by the checksums in lm_model_run.

A model file is a pickle, and loading one runs what is in it. So no file is loaded
unless its SHA-256 is the one that the training wrote into the database.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import sklearn

from python_scoring.base.errors import LmError
from python_scoring.base.profile import Target

MODEL_DIR_VARIABLE = "LM_MODEL_DIR"
VERSION_LENGTH = 32
DIGEST_LENGTH = 8


class UnusableModelError(LmError):
    """The file of a model is not there, not the one that was trained, or of other software."""


def model_dir(target: Target) -> Path:
    """The folder of models: the var lm_model_dir, LM_MODEL_DIR, else .lm/models in the project."""
    named = target.vars.get("lm_model_dir") or os.environ.get(MODEL_DIR_VARIABLE)
    if not named:
        return target.project_dir / ".lm" / "models"
    return (target.project_dir / Path(str(named)).expanduser()).resolve()


def save(folder: Path, metric: str, model: Any, card: Mapping[str, Any]) -> str:
    """Write the model and its card; returns the model file's SHA-256."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    content = buffer.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    document = {**card, "artifact_sha256": sha256, "software": dict(software())}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(model_path(folder, metric, sha256), content)
        text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
        _write(card_path(folder, metric, sha256), text.encode())
    except OSError as error:
        raise LmError(f"cannot write the model to {folder}: {error}; see LM_MODEL_DIR") from error
    return sha256


def load(folder: Path, metric: str, sha256: str) -> Any:
    """The model whose file has this checksum; UnusableModelError if there is none to trust."""
    content = trusted_bytes(folder, metric, sha256)
    try:
        return joblib.load(io.BytesIO(content))
    except Exception as error:  # Whatever an unpickled class may raise.
        name = model_path(folder, metric, sha256).name
        raise UnusableModelError(f"the model file {name} does not load: {error}") from error


def trusted_bytes(folder: Path, metric: str, sha256: str) -> bytes:
    """What the model's file holds, not unpickled: UnusableModelError unless it is the very file."""
    path = model_path(folder, metric, sha256)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableModelError(
            f"the model file {path.name} is not in the model folder"
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UnusableModelError(
            f"the model file {path.name} is not the one that was trained: its checksum differs"
        )
    made_with = load_card(folder, metric, sha256).get("software") or {}
    if others := [name for name, here in software().items() if made_with.get(name) != here]:
        raise UnusableModelError(
            f"the model file {path.name} was made with another {' and '.join(others)}"
        )
    return content


def load_card(folder: Path, metric: str, sha256: str) -> dict[str, Any]:
    """The card beside the model; empty if it is not there."""
    try:
        card = json.loads(card_path(folder, metric, sha256).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def delete(folder: Path, metric: str, sha256: str) -> None:
    model_path(folder, metric, sha256).unlink(missing_ok=True)
    card_path(folder, metric, sha256).unlink(missing_ok=True)


def model_path(folder: Path, metric: str, sha256: str) -> Path:
    return folder / f"{metric}_{sha256[:16]}.joblib"


def card_path(folder: Path, metric: str, sha256: str) -> Path:
    return folder / f"{metric}_{sha256[:16]}.json"


def version_of(rules_version: str, card: Mapping[str, Any]) -> str:
    """The version that a model's rows carry: that of the rules, and a digest of the model's card.

    The same calls, moment and seed give the same card, and so the same version.
    """
    text = json.dumps(card, ensure_ascii=False, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{_rules_part(rules_version)}+{digest}"


def is_of_rules(version: str, rules_version: str) -> bool:
    """Whether a model's version is of these rules."""
    return version.rpartition("+")[0] == _rules_part(rules_version)


def _rules_part(rules_version: str) -> str:
    return rules_version[: VERSION_LENGTH - DIGEST_LENGTH - 1]


@cache
def software() -> Mapping[str, str]:
    """What a pickle depends on: scikit-learn reads no models of its other minor versions, and our
    own classes know no attributes but their own."""
    code = hashlib.sha256()
    for path in sorted((Path(__file__).parent.parent / "probability").glob("*.py")):
        code.update(path.read_bytes())
    return {
        "version of this project": code.hexdigest()[:DIGEST_LENGTH],
        "python": ".".join(platform.python_version_tuple()[:2]),
        "scikit-learn": ".".join(sklearn.__version__.split(".")[:2]),
    }


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: another process may be reading."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
