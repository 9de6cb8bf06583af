"""Nobody but their owner may read what `lm` leaves on the disk. Its files are looked at in
test_privacy, where everything has run."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from python_scoring.base.private_files import keep_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_files_are_private_and_old_folders_closed(tmp_path: Path) -> None:
    for name in (".lm", "target", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    before = os.umask(0o022)
    try:
        keep_private(tmp_path)
        (tmp_path / "page.html").write_text("")
    finally:
        os.umask(before)
    assert mode(tmp_path / "page.html") == 0o600
    assert mode(tmp_path / ".lm") == mode(tmp_path / "target") == 0o700
    assert mode(tmp_path / "elsewhere") == 0o755
