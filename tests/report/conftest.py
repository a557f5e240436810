"""The page of one or more small studies."""

import pytest
from html_pages import Page
from tiny_page import write_page
from tiny_report import HERE, Study


@pytest.fixture
def render(tmp_path):
    def render_studies(*studies: Study, examples: int = 4, provenance=HERE) -> Page:
        page = write_page(tmp_path, *studies, examples=examples, provenance=provenance)
        return Page(page.read_text(encoding="utf-8"))

    return render_studies
