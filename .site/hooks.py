"""What the site has beside docs/*.md: the READMEs, the options of all commands, and all public names; links between."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePath, PurePosixPath
from posixpath import normpath, relpath

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from musicae import registry
from musicae.cli import main

ROOT = Path(__file__).resolve().parent.parent

PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "data/README.md": "data.md",
    "presets/README.md": "presets.md",
}
"""Pages of the repository outside docs/, and where the site has them."""

GROUPS = {
    "core": ("The contract", ("core", "attribute", "values", "errors", "testing")),
    "spine": ("The spine", ("registry", "preset", "checkpoint", "hub", "splits", "upgrade")),
    "machine": ("Threads, memory, folders", ()),
}
"""Where the modules are that lie in no folder, in the last all others; those of a folder are together."""

_LINK = re.compile(r'(\]\(|src=")(?!https://|#)([^)"\s#]*)(#[^)"\s]*)?([)"])')
_CODE = re.compile(r"(^```.*?^```|^(?: {4}[^\n]*\n)+|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_SOUND = re.compile(r"\[([^\]]+)\]\(([^)\s]+\.mp3)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of the modules at the end of the reference."""
    (reference,) = (section["Reference"] for section in config.nav or [] if "Reference" in section)
    reference.append({"Every public name": ["api/index.md", *({title: places} for title, places in api_nav())]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/, and what they show."""
    for source, place in PAGES.items():
        files.append(File.generated(config, place, content=(ROOT / source).read_text(encoding="utf-8")))
    for picture in sorted((ROOT / "data").glob("*.png")):
        files.append(File.generated(config, f"data/{picture.name}", abs_src_path=str(picture)))
    files.append(File.generated(config, "LICENSE.txt", abs_src_path=str(ROOT / "LICENSE")))
    files.append(File.generated(config, "site.css", abs_src_path=str(ROOT / ".site" / "site.css")))
    files.append(File.generated(config, "options.md", content=options_page()))
    for place, content in api_pages().items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to pages of the site instead of files of the repository; sounds get a player."""
    place = page.file.src_uri
    source = next((own for own, there in PAGES.items() if there == place), f"docs/{place}")
    parts = _CODE.split(markdown)  # Code, at the odd places, stays.
    parts[::2] = [_with_players(_LINK.sub(lambda link: _led(link, source, place, files), part)) for part in parts[::2]]
    return "".join(parts)


def _led(link: re.Match[str], source: str, place: str, files: Files) -> str:
    before, path, heading, after = link.groups()
    target = normpath(PurePosixPath(source).parent / path) if path else source
    site = {**PAGES, "LICENSE": "LICENSE.txt"}.get(target) or _module(target) or target.removeprefix("docs/")
    if files.get_file_from_path(site) is None:
        raise PluginError(f"{source}: {path} is not on the site")
    return f"{before}{relpath(site, PurePosixPath(place).parent.as_posix())}{heading or ''}{after}"


def _module(path: str) -> str:
    """Return the page of the module in a file of the package; empty for another file."""
    place = PurePosixPath(path)
    return _place(_dotted(place)) if place.parts[0] == "musicae" and place.suffix == ".py" else ""


def _with_players(text: str) -> str:
    """Put a player below each line with links to sounds."""
    return _SOUND.sub(r'<span class="sound"><audio controls preload="none" src="\2"></audio> \1</span>', text)


def options_page() -> str:
    """Return the page of all commands with their options, as click knows them."""
    parts = ["# All options", "What `musicae COMMAND --help` prints, of every command."]
    with click.Context(main, info_name="musicae") as top:
        for name in registry.names("commands"):
            if registry.owner("commands", name) == "musicae":
                parts += _command(registry.lookup("commands", name), top, name, 2)
    return "\n\n".join(parts) + "\n"


def _command(command: click.Command, parent: click.Context, name: str, level: int) -> list[str]:
    context = click.Context(command, info_name=name, parent=parent)
    usage = command.get_usage(context).removeprefix("Usage: ")
    text = "\n\n".join(" ".join(part.split()) for part in (command.help or "").replace("\b", "").split("\n\n"))
    parts = [f"{'#' * level} {name}", f"    {' '.join(usage.split())}", _escaped(text)]
    rows = [record for each in command.get_params(context) if (record := each.get_help_record(context))]
    if rows:
        lines = [f"| `{names}` | {_escaped(about)} |" for names, about in rows if about]
        parts.append("\n".join(["| option | what it does |", "|---|---|", *lines]))
    if isinstance(command, click.Group):
        for child in sorted(command.commands):
            parts += _command(command.commands[child], context, child, level + 1)
    return parts


def _escaped(text: str) -> str:
    return re.sub(r"([|*_<>\[\]`])", r"\\\1", text)


def api_pages() -> dict[str, str]:
    """Return the pages of all public names: the package's own, an overview of each group of modules, theirs."""
    names = "\n\n".join(f"::: musicae.{name}" for name in public_names(ROOT / "musicae" / "__init__.py"))
    titles = [f"[{title}]({group}/index.md)" for group, (title, _) in _groups().items()]
    intro = f"What `import musicae` gives. It lives in these modules: {', '.join(titles)}."
    pages = {"api/index.md": f"# Every public name\n\n{intro}\n\n{names}\n"}
    for group, (title, modules) in _groups().items():
        overview = f"api/{group}/index.md"
        rows = ["| module | what it has |", "|---|---|"]
        for module in modules:
            place = _place(module)
            rows.append(f"| [{module.removeprefix('musicae.')}]({relpath(place, f'api/{group}')}) | {_about(module)} |")
            pages[place] = f"::: {module}\n    options: {{heading_level: {2 if place == overview else 1}}}\n"
        pages[overview] = "\n".join([f"# {title}\n", *rows, "", pages.get(overview, "")])
    return pages


def api_nav() -> Iterator[tuple[str, list[str | dict[str, str]]]]:
    """Yield the title of each group of modules, and its pages, the overview first."""
    for group, (title, modules) in _groups().items():
        overview = f"api/{group}/index.md"
        own = [{module.split(".", 2)[-1]: place} for module in modules if (place := _place(module)) != overview]
        yield title, [overview, *own]


@cache
def _groups() -> dict[str, tuple[str, list[str]]]:
    """Return the title and the modules of each group that have public names."""
    groups = {group: (title, [f"musicae.{name}" for name in modules]) for group, (title, modules) in GROUPS.items()}
    for path in sorted((ROOT / "musicae").rglob("*.py")):
        dotted = _dotted(path.relative_to(ROOT))
        if dotted.split(".")[1:2] not in ([], ["cli"]) and public_names(path):
            group = PurePosixPath(_place(dotted)).parts[1]
            modules = groups.setdefault(group, (group.capitalize(), []))[1]
            if dotted not in modules:
                modules.append(dotted)
    return groups


def _dotted(path: PurePath) -> str:
    return ".".join(part for part in path.with_suffix("").parts if part != "__init__")


def _place(dotted: str) -> str:
    """Return the page of a module."""
    if dotted == "musicae":
        return "api/index.md"
    _, first, *rest = dotted.split(".")
    if (ROOT / "musicae" / first).is_dir():
        return "/".join(["api", first, *(rest or ["index"])]) + ".md"
    group = next((name for name, (_, modules) in GROUPS.items() if first in modules), list(GROUPS)[-1])
    return f"api/{group}/{first}.md"


def _about(dotted: str) -> str:
    """Return the first paragraph of a module's docstring, for a cell of a table."""
    path = ROOT.joinpath(*dotted.split("."))
    text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
    return " ".join((ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].split()).replace("|", r"\|")


def public_names(path: Path) -> list[str]:
    """Return what a module lists in ``__all__``, without importing it."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "__all__" for to in node.targets):
            return list(ast.literal_eval(node.value))
    return []
