"""Import the user's modules from their source, and explain in their own terms what went wrong."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType

from emulator.sdk.workers.nulls import teach_json

_ALIASES = ("workers", "js", "pyodide", "asgi", "_cloudflare_compat_flags")
_INTERNAL = ("_pyodide", "pyodide_js")
_OLD_NAME = "cloudflare.workers"
_NOT_OWN = ("site-packages", "dist-packages", "python_modules")
# Many editors empty a file before they write it anew. One that stays empty is meant to be.
_HALF_SAVED_SECONDS = 0.25
_HALF_SAVED_EVERY = 0.005


class AliasFinder(MetaPathFinder):
    """`workers`, `js`, `pyodide` and `asgi` are ours, even where packages of those names are installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == _OLD_NAME:
            return ModuleSpec(fullname, _AliasLoader("workers"), is_package=True)
        if fullname.partition(".")[0] not in _ALIASES:
            return None
        try:
            real = importlib.util.find_spec(f"emulator.sdk.{fullname}")
        except ModuleNotFoundError:
            return None
        if real is None:
            return None
        is_package = real.submodule_search_locations is not None
        return ModuleSpec(fullname, _AliasLoader(), origin=real.origin, is_package=is_package)


class _AliasLoader(Loader):
    def __init__(self, name: str = "") -> None:
        self._name = name

    def exec_module(self, module: ModuleType) -> None:
        # The import system hands out what stands in sys.modules afterwards, so both names mean one module.
        real = importlib.import_module(f"emulator.sdk.{self._name or module.__name__}")
        sys.modules[module.__name__] = real


class OldPackage(MetaPathFinder):
    """`cloudflare.workers` is the older name of `workers`; its parent is empty where none is installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, None, is_package=True) if fullname == _OLD_NAME.partition(".")[0] else None


class SourceOnlyLoader(SourceFileLoader):
    """
    Never reads or writes bytecode: two saves within a second and of one size would look the same to it.

    Nor half a save: a file that was emptied a moment ago is read when it has been written.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = self.get_data(path)
        while not source and _was_emptied_just_now(path):
            time.sleep(_HALF_SAVED_EVERY)
            source = self.get_data(path)
        code: CodeType = self.source_to_code(source, path)
        return code


class WorkerPath:
    """Makes the worker's folder importable, ahead of everything, and knows which modules are the worker's own."""

    def __init__(self, module_root: Path, project: Path, *, has_vendor: bool = False) -> None:
        self.root = module_root
        self._roots = tuple({str(module_root), str(project)})
        # Where packages were put before there was python_modules.
        folders = [project / "python_modules", *([module_root / "vendor"] if has_vendor else [])]
        self._fallbacks = [str(folder) for folder in folders if folder.is_dir()]
        self._alias = AliasFinder()
        self._old = OldPackage()

    def __enter__(self) -> WorkerPath:
        teach_json()
        sys.meta_path.insert(0, self._alias)
        sys.meta_path.append(self._old)
        sys.path_hooks.insert(0, self._finder)
        sys.path[:0] = [str(self.root)]
        sys.path.extend(self._fallbacks)
        for entry in list(sys.path_importer_cache):
            if self._owns(entry):
                del sys.path_importer_cache[entry]
        return self

    def __exit__(self, *exception: object) -> None:
        sys.meta_path.remove(self._alias)
        sys.meta_path.remove(self._old)
        sys.path_hooks.remove(self._finder)
        for entry in (str(self.root), *self._fallbacks):
            sys.path.remove(entry)

    def _finder(self, folder: str) -> FileFinder:
        if not self._owns(folder):
            raise ImportError
        return FileFinder(folder, (ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceOnlyLoader, SOURCE_SUFFIXES))

    def _owns(self, path: str) -> bool:
        inside = any(path == root or path.startswith((root + "/", root + "\\")) for root in self._roots)
        return inside and not any(part in _NOT_OWN for part in Path(path).parts)

    def own_modules(self) -> Iterator[ModuleType]:
        """The worker's modules that are loaded now."""
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and self._owns(file):
                yield module

    def third_party(self) -> list[str]:
        """Names of the installed modules the worker imported: what a spare may import ahead of time."""
        return sorted(
            name
            for name, module in list(sys.modules.items())
            if any(part in (getattr(module, "__file__", None) or "") for part in ("site-packages", "dist-packages"))
        )

    def native(self) -> dict[str, str]:
        """The installed packages with compiled parts that are loaded now, each with the first such file."""
        found: dict[str, str] = {}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            if file.endswith(tuple(EXTENSION_SUFFIXES)) and ("site-packages" in file or "dist-packages" in file):
                found.setdefault(name.partition(".")[0], file)
        return found

    def forget(self) -> None:
        """Drop whatever stands under the names of the worker's modules, so that the next import reads them anew."""
        for name in list(sys.modules):
            top = name.partition(".")[0]
            if (self.root / f"{top}.py").is_file() or (self.root / top / "__init__.py").is_file():
                del sys.modules[name]
        importlib.invalidate_caches()


def load(main: Path, path: WorkerPath) -> ModuleType:
    """The worker's main module. Raises what its code raises, with a note where a habit of the platform explains it."""
    name = ".".join(main.relative_to(path.root).with_suffix("").parts)
    if not main.is_file():
        raise FileNotFoundError(f'main = "{main}": there is no such file')
    try:
        # Not by importlib: its own frame would stand on top of the user's traceback.
        __import__(name)
        return sys.modules[name]
    except ModuleNotFoundError as error:
        _explain(error, path.root)
        raise


def warm(modules: Sequence[str]) -> None:
    """Import what the last generation needed; a package that is gone or broken is the next load's to report."""
    for name in modules:
        with contextlib.suppress(BaseException):
            importlib.import_module(name)


def _was_emptied_just_now(path: str) -> bool:
    return abs(time.time() - os.stat(path).st_mtime) < _HALF_SAVED_SECONDS  # noqa: PTH116 - as importlib names files


def _explain(error: ModuleNotFoundError, root: Path) -> None:
    missing = error.name or ""
    if missing.partition(".")[0] == root.name:
        error.add_note(f'the worker\'s modules are imported from inside "{root.name}/": leave the "{root.name}." out')
        return
    if missing.partition(".")[0] in (*_ALIASES, *_INTERNAL):
        error.add_note(f'the emulator has no "{missing}"; docs/differences.md lists what there is')
        return
    error.add_note(
        f'no module "{missing}" beside the worker and none installed for {sys.executable};'
        f" {_how_to_install(missing.partition('.')[0], root)}, or point --python at the environment that has it"
    )


def _how_to_install(name: str, root: Path) -> str:
    """What to do depends on whether the project says already that it needs the package."""
    for folder in (root, root.parent):
        project = folder / "pyproject.toml"
        if project.is_file() and name.replace("_", "-") in project.read_text("utf-8", "replace").replace("_", "-"):
            return f"pyproject.toml names it: `uv sync`, or `{sys.executable} -m pip install` it"
    return "install it there"
