"""Updates all pages with generated tables."""

from .pages import PAGES, updated

for page in PAGES:
    before, after = page.path.read_text(encoding="utf-8"), updated(page)
    if after != before:
        page.path.write_text(after, encoding="utf-8")
        print(f"{page.name}: updated")
