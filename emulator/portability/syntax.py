"""What stands in the source of a module: texts that name files, guards, functions that its import calls. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_WRITING = frozenset("wax+")
_MODES = frozenset("rwaxbt+:|gzxvj2*")


def path_text(node: ast.expr) -> str | None:
    """The end of a path as far as it is written out: `data/x.json` of `Path(__file__).parent / "data" / "x.json"`."""
    match node:
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=str(name))):
            before = path_text(left)
            return f"{before}/{name}" if before else name
        case ast.Call(func=ast.Attribute(attr="join" | "joinpath") | ast.Name(id="Path" | "PurePath"), args=args):
            return "/".join(_last_texts(args)) or None
        case _:
            return None


def _last_texts(args: list[ast.expr]) -> list[str]:
    found: list[str] = []
    for each in args:
        match each:
            case ast.Constant(value=str(name)):
                found.append(name)
            case _:
                found.clear()
    return found


def start_of_path(node: ast.expr) -> ast.expr:
    """What a path written with `/` begins with."""
    while isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
        node = node.left
    return node


def writes(node: ast.Call, place: int) -> bool:
    """Whether a file is opened to be written: the mode is the argument at this place, or the keyword."""
    modes = [*node.args[place : place + 1], *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return any(set(text) <= _MODES and set(text) & _WRITING for text in texts)


def holds_there(test: ast.expr) -> bool | None:
    """Whether a condition holds on the platform, where that is known."""
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()]):
            # The main module is imported by its name.
            return False
        case ast.Compare(left=ast.Constant(value="pyodide"), ops=[op], comparators=[ast.Attribute(attr="modules")]):
            return isinstance(op, ast.In)
        case ast.Compare(left=ast.Attribute(attr="platform"), ops=[ast.Eq()], comparators=[ast.Constant(value=name)]):
            return name == "emscripten"
        case ast.Compare(
            left=ast.Attribute(attr="platform"), ops=[ast.NotEq()], comparators=[ast.Constant(value=name)]
        ):
            return name != "emscripten"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            holds = holds_there(operand)
            return None if holds is None else not holds
        case _:
            return None


def catches_import_errors(node: ast.Try) -> bool:
    names = {
        name.id
        for handler in node.handlers
        for name in ast.walk(handler.type or ast.Name("Exception"))
        if isinstance(name, ast.Name)
    }
    return bool(names & {"BaseException", "Exception", "ImportError", "ModuleNotFoundError"})


def called_at_import(tree: ast.Module) -> frozenset[ast.FunctionDef]:
    """The module's own functions that run while it is imported: called by its top level, or by one of these."""
    functions = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
    found: set[ast.FunctionDef] = set()
    coming = [name for each in tree.body for name in _calls(each)]
    while coming:
        function = functions.get(coming.pop())
        if function is not None and function not in found:
            found.add(function)
            coming += [inner for each in function.body for inner in _calls(each)]
    return frozenset(found)


def _calls(node: ast.AST) -> Iterator[str]:
    """Names of functions that are called when this runs, not those in the body of a function defined in it."""
    if isinstance(node, ast.If) and (holds := holds_there(node.test)) is not None:
        for each in node.body if holds else node.orelse:
            yield from _calls(each)
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield node.func.id
    for child in ast.iter_child_nodes(node):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _calls(child)
