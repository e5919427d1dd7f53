"""A folder that the servers' unprivileged user reaches. pytest's own tmp_path is private to whoever runs the tests, and
is made so again by every other pytest that starts beside this one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundation.run_as import can_traverse, run_as


@pytest.fixture
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rimay-test-"))
    folder.chmod(0o755)
    assert can_traverse(folder, run_as()), f"{folder} is closed to {run_as()}: set TMPDIR to a folder that is not"
    yield folder
    shutil.rmtree(folder)
