# Copyright (C) The wholesale gateway authors

"""The documents, as a test reads them: pages of Markdown."""

import pathlib
import re
import textwrap

from gateway.nginx import REPOSITORY


SOURCES = REPOSITORY / "ngx_wholesale_module"

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
HEADING = re.compile(r"^(#+) (.*)$", re.M)
LINK = re.compile(r"\[[^][]*\]\(([^()\s]+)\)")
ENTRY = re.compile(r"^    Syntax:   (?P<syntax>.*)\n"
                   r"    Default:  (?P<default>.*)\n"
                   r"    Context:  (?P<contexts>.*)$", re.M)


class Block:
    """What stands in a fence: its language, and its text, which begins with
    its first column.  The name says where it is, for the names of tests."""

    def __init__(self, page, line, language, text):
        self.page = page
        self.line = line
        self.language = language
        self.text = text

    def __repr__(self):
        return f"{self.page.name}:{self.line}"


class Page:
    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(REPOSITORY))
        self.text = path.read_text()

    def __repr__(self):
        return self.name

    def line_of(self, at):
        return self.text.count("\n", 0, at) + 1

    @property
    def blocks(self):
        return [Block(self, self.line_of(match.start()), match[2],
                      textwrap.dedent(match[3]))
                for match in FENCE.finditer(self.text)]

    @property
    def prose(self):
        """The text without what stands in fences."""

        return FENCE.sub("", self.text)

    @property
    def headings(self):
        """(level, text, what follows up to the next heading)"""

        text = self.prose
        found = list(HEADING.finditer(text))
        ends = [match.start() for match in found[1:]] + [len(text)]

        return [(len(match[1]), match[2].replace("`", ""),
                 text[match.end():end])
                for match, end in zip(found, ends)]

    @property
    def anchors(self):
        """As GitHub makes them."""

        return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
                for _, heading, _ in self.headings]

    @property
    def links(self):
        return LINK.findall(self.prose)

    def section(self, heading):
        """The text under a heading, up to the next one."""

        return next(text for _, name, text in self.headings
                    if name == heading)


def pages():
    return [Page(path) for path in
            (*sorted(REPOSITORY.glob("*.md")),
             *sorted((REPOSITORY / "docs").glob("*.md")))]


def page(name):
    return Page(REPOSITORY / name)


def blocks(*languages):
    return [block for each in pages() for block in each.blocks
            if block.language in languages]


def rows(text):
    """The cells of all rows of a section's tables, heads left out."""

    lines = text.splitlines()

    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for before, line in zip(lines, lines[1:])
            if line.startswith("|") and before.startswith("|")
            and not line.startswith("|---")]


def entries():
    """Directives: (name, syntax, default, contexts), wherever one stands as
    nginx's own reference has them."""

    return [(match["syntax"].split()[0].rstrip(";"), match["syntax"],
             match["default"], set(match["contexts"].split(", ")))
            for each in pages() for match in ENTRY.finditer(each.text)]


def sources(*rooms):
    """The text of all C sources, or of those of some rooms."""

    return "\n".join(path.read_text() for path in sorted(
        pathlib.Path(SOURCES).glob("*/*.[ch]"))
        if not rooms or path.parent.name in rooms)


def literal(text, defined=None):
    """What C makes of "a" NAME "b"."""

    defined = defined or {}
    parts = re.findall(r'"((?:\\.|[^"\\])*)"|(\w+)', text)

    return "".join(re.sub(r"\\(.)", r"\1", part) if not name
                   else literal(defined[name], defined)
                   for part, name in parts)


def definitions(text):
    return {match[1]: re.sub(r"\\\n", "", match[2]).strip() for match in
            re.finditer(r"^#define (\w+) +((?:.*\\\n)*.*)$", text, re.M)}
