"""Fails when a page links to a file that is not there."""

import sys
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parent / "public"


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


dead = []
for page in ROOT.rglob("*.html"):
    links = Links()
    links.feed(page.read_text())
    for link in links.found:
        if "://" not in link and not link.startswith(("#", "mailto:")):
            if not (page.parent / link.split("#")[0]).exists():
                dead.append(f"{page.relative_to(ROOT)}: {link}")
print("\n".join(dead) or "no dead links")
sys.exit(bool(dead))
