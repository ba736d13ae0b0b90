"""docs/outbox.md shows the example that the tests run."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_pages_shop_is_the_one_that_is_tried() -> None:
    shop = (ROOT / "examples/flask_shop.py").read_text(encoding="utf-8").rstrip()
    assert f"```python\n{shop}\n```" in (ROOT / "docs/outbox.md").read_text(encoding="utf-8")
