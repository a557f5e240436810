"""A parser of the report's page, with questions about its text and tags."""

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link"}
INLINE = {"a", "b", "code", "i", "span", "sup"}


class Page(HTMLParser):
    """A page as a browser sees it; fails if tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.open, self.text, self.blocks = html, [], "", [""]
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.text += " " if tag in ("td", "th") else ""
        self.start_block(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"
        self.start_block(tag)

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data
            self.blocks[-1] += data

    def start_block(self, tag: str) -> None:
        if tag not in INLINE:
            self.blocks.append("")

    def values(self, *names: str) -> list[str]:
        return [a[name] for _, a in self.tags for name in names if name in a]

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    def has(self, *parts: str) -> bool:
        """Whether the parts follow each other in the text, as cells of a row do."""
        return " ".join(parts) in self.words

    def says(self, *parts: str) -> bool:
        """Whether one paragraph, list item or cell contains all parts in this order."""
        pattern = re.compile(".*".join(map(re.escape, parts)))
        return any(pattern.search(" ".join(block.split())) for block in self.blocks)
