"""Writes docs/settings.md from the settings themselves: `python tools/write_settings.py`."""

from pathlib import Path

from ordertrail.settings import Settings, is_secret

HEAD = """# Settings

Every setting is read once, when a process starts, from the environment. `ordertrail doctor` shows
what is in force, with secrets hidden. This page is written by `tools/write_settings.py`.

| environment | default | meaning |
|---|---|---|
"""


def page() -> str:
    """Return the page as it should be."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "none (a secret)" if is_secret(name) else f"`{field.default}`"
        rows.append(f"| `ORDERTRAIL_{name.upper()}` | {default} | {field.description} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    Path(__file__).parent.parent.joinpath("docs/settings.md").write_text(page())
