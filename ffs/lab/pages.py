"""Converts executed notebooks into pages that need no network. Reads from standard input, as JSON:

{"notebooks": [{"source": notebook, "target": page, "title": text}, ...], "index": page, "summary": Markdown or ""}

Each page links to its neighbours in the list and to the index. Prints the summary as HTML.
"""

import json
import re
import sys

import nbformat
from jinja2 import DictLoader, pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

PAGE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}
<style>
.ffs-pages { display: flex; gap: 1em; padding: .6em 1em; border-bottom: 1px solid #ddd }
.ffs-pages { font: 14px/1.4 system-ui, sans-serif }
.ffs-pages a { color: #0072b2; text-decoration: none }
.ffs-pages > * { flex: 1 }
.ffs-pages > :nth-child(2) { text-align: center }
.ffs-pages > :nth-child(3) { text-align: right }
math { font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", math; font-size: 1.1em }
math[display=block] { margin: 1em 0 }
</style>
{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- macro pages() -%}
<nav class="ffs-pages">
<span>{% if resources.previous %}<a rel="prev" href="{{ resources.previous.page }}">‹ {{ resources.previous.title | e }}</a>{% endif %}</span>
<a href="{{ resources.index }}">All notebooks</a>
<span>{% if resources.next %}<a rel="next" href="{{ resources.next.page }}">{{ resources.next.title | e }} ›</a>{% endif %}</span>
</nav>
{%- endmacro -%}
{%- block body_header -%}{{ super() }}{{ pages() }}{%- endblock -%}
{%- block body_footer -%}{{ pages() }}{{ super() }}{%- endblock -%}
"""

FUNCTION_NAME = re.compile(r"<mi>([a-z]{2,})</mi>")


def mathml(tex, display):
    """The formula as MathML, which browsers typeset by themselves; None if it is not understood."""
    try:
        math = convert(tex, display=display)
    except Exception:
        return None
    # The bars of a norm are as high as its letter.
    math = math.replace("<mo>&#x02016;</mo>", '<mo stretchy="false">&#x02016;</mo>')
    # Browsers put no space around a name such as log.
    return FUNCTION_NAME.sub(r'<mo lspace="0.17em" rspace="0.17em">\1</mo>', math)


class Renderer(IPythonRenderer):
    def inline_math(self, body):
        return mathml(body, "inline") or super().inline_math(body)

    def block_math(self, body):
        return mathml(body, "block") or super().block_math(body)

    def latex_environment(self, name, body):
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block") or super().latex_environment(name, body)


class PageExporter(HTMLExporter):
    @pass_context
    def markdown2html(self, context, source):
        attachments = context.get("cell", {}).get("attachments", {})
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        return render(source, attachments=attachments, path=path)


def render(markdown, **options):
    return MarkdownWithMath(renderer=Renderer(escape=False, embed_images=True, **options)).render(markdown)


def write_pages(notebooks, index):
    exporter = PageExporter(
        template_name="lab", template_file="page.html.j2", extra_loaders=[DictLoader({"page.html.j2": PAGE})], embed_images=True
    )
    links = [{"page": file_name(n["target"]), "title": n["title"]} for n in notebooks]
    for i, notebook in enumerate(notebooks):
        resources = {
            "index": file_name(index),
            "previous": links[i - 1] if i > 0 else None,
            "next": links[i + 1] if i + 1 < len(links) else None,
        }
        node = nbformat.read(notebook["source"], as_version=4)
        node.metadata.title = notebook["title"]
        language = node.metadata.get("language_info", {})
        # GoNB leaves the lexer empty.
        language["pygments_lexer"] = language.get("pygments_lexer") or language.get("name", "")
        page, _ = exporter.from_notebook_node(node, resources=resources)
        with open(notebook["target"], "w", encoding="utf-8") as file:
            file.write(page)


def file_name(path):
    return re.split(r"[/\\]", path)[-1]


if __name__ == "__main__":
    job = json.load(sys.stdin)
    write_pages(job["notebooks"], job["index"])
    print(render(job["summary"]))
