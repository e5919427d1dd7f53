from __future__ import annotations

from pathlib import Path

from app.settings import read_settings
from app.shown_settings import show_settings


def test_rows_with_their_source_and_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("muy-secreta-1234\n")
    (tmp_path / "password").chmod(0o600)
    file = tmp_path / "rimay.yaml"
    file.write_text(
        "web: {port: 8443}\ndatabase: {url: 'postgresql://rimay@db.example/rimay', password: {file: password}}\n"
        "pbx: {phones: [{name: '1001', password: {file: password}}]}\n"
    )
    rows = {row.key: row for row in show_settings(read_settings(file))}
    assert (rows["web.port"].value, rows["web.port"].source) == (8443, "file")
    assert (rows["web.host"].value, rows["web.host"].source) == ("127.0.0.1", "default")
    assert rows["database.password"].value == "(secret)"
    assert rows["pbx.phones"].value[0]["password"] == "(secret)"
    assert "muy-secreta-1234" not in repr(rows)
    assert "(hidden)" not in repr(rows)
