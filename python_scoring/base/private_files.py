"""What `lm` and its dbt write is its owner's alone: pages and logs name operators and calls."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

OTHERS = 0o077
# Where `lm` and dbt write, below the project; dbt's may be elsewhere by these variables.
FOLDERS = {".lm": "", "target": "DBT_TARGET_PATH", "logs": "DBT_LOG_PATH"}


def keep_private(project: Path) -> None:
    """New files and folders of this process get 0600 and 0700; folders of before are closed."""
    os.umask(os.umask(OTHERS) | OTHERS)
    for folder in _folders(project):
        # Another account's folder stays as its owner has made it.
        with contextlib.suppress(OSError):
            mode = folder.stat().st_mode & 0o777
            if mode & OTHERS:
                folder.chmod(mode & ~OTHERS)


def _folders(project: Path) -> Iterable[Path]:
    for name, variable in FOLDERS.items():
        folder = project / (os.environ.get(variable, "") or name)
        if folder.is_dir() and not folder.is_symlink():
            yield folder
