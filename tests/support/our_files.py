"""The files of this checkout as the house's rules read them, with git and without."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

LEFT_BY_TOOLS = {"var", "dist", "build", "__pycache__"}  # and all hidden folders but .ci


@dataclass(frozen=True)
class Source:
    """One file of ours: its path from the root with forward slashes, and its text."""

    path: str
    text: str
    family: str | None = None  # of a source: the publisher whose file this is

    @property
    def room(self) -> str:
        return PurePosixPath(self.path).parts[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def names(self) -> dict[str, str]:
        """Map each imported name to what it stands for, wherever in the file it is imported."""
        known: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    full = alias.name if alias.asname else alias.name.split(".")[0]
                    known[alias.asname or full] = full
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return known

    def full_name(self, node: ast.AST) -> str:
        """Return what an imported name or its attribute stands for, or the empty string."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, "")
        if isinstance(node, ast.Attribute) and (owner := self.full_name(node.value)):
            return f"{owner}.{node.attr}"
        return ""


def tracked_files(root: Path) -> list[Path]:
    """Return our files under `root`: git's, with those not yet added; without git, all of them."""
    cached_and_others = ["ls-files", "-z", "-c", "-o", "--exclude-standard"]
    listing = ["git", "-C", str(root), *cached_and_others]
    try:
        listed = subprocess.run(listing, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        listed = ""
    names = [name for name in listed.split("\0") if name] or _walked(root)
    return sorted(path for path in map(root.joinpath, names) if path.is_file())


def read(root: Path) -> list[Source]:
    """Return every text file of ours; a file that is not UTF-8 is none."""
    found = []
    for path in tracked_files(root):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        name = path.relative_to(root).as_posix()
        found.append(Source(name, text, _family(root, name)))
    return found


def _walked(root: Path) -> list[str]:
    names = [path.relative_to(root) for path in root.rglob("*")]
    return [str(name) for name in names if not any(map(_is_left_by_a_tool, name.parts[:-1]))]


def _is_left_by_a_tool(folder: str) -> bool:
    return folder in LEFT_BY_TOOLS or (folder.startswith(".") and folder != ".ci")


def _family(root: Path, name: str) -> str | None:
    """Return the publisher whose file `name` is: the first sources/X that it begins with."""
    parts = PurePosixPath(name).with_suffix("").parts
    if len(parts) < 2 or parts[0] != "sources" or parts[1] == "__init__":
        return None
    words = parts[1].split("_")
    for count in range(1, len(words)):
        head = "_".join(words[:count])
        if (root / "sources" / f"{head}.py").exists() or (root / "sources" / head).is_dir():
            return head
    return parts[1]
