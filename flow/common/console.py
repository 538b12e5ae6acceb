# SPDX-License-Identifier: BSD-2-Clause
"""Output of the commands: results on stdout, everything else on stderr.

With ``--json`` stdout carries one JSON object. The generators and compilers that run below print on their own, so
``work`` sends file descriptor 1 to stderr for as long as they run.
"""

import json
import os
import sys
import time
from contextlib import contextmanager, redirect_stdout

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from liteformer.accel.errors import LiteFormerError


def _stderr():
    return Console(stderr=True, highlight=False)


@contextmanager
def work():
    """Everything printed inside, by Python or by a child process, goes to stderr."""
    sys.stdout.flush()
    try:
        owns_descriptor = sys.stdout.fileno() == 1
    except (OSError, ValueError):
        owns_descriptor = False
    saved = os.dup(1) if owns_descriptor else None
    try:
        if owns_descriptor:
            os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if owns_descriptor:
            os.dup2(saved, 1)
            os.close(saved)


class Step:
    """Handle of a running step: ``update(done, total, text)`` moves its bar."""

    def __init__(self, progress, title):
        self._progress, self._title = progress, title
        self._task = progress.add_task(title, total=None)
        self._printed = time.monotonic()

    def update(self, done=None, total=None, text=""):
        """Show how far the step is.

        Args:
            done, total: amount of work; text: a word on what happens now.
        """
        self._progress.update(self._task, completed=done, total=total, description=f"{self._title} {text}".rstrip())
        if not self._progress.console.is_terminal and time.monotonic() - self._printed > 5:
            self._printed = time.monotonic()
            count = f" {done}/{total}" if done is not None and total else ""
            self._progress.console.print(f"  {self._title}{count} {text}".rstrip(), markup=False, soft_wrap=True)


@contextmanager
def step(title):
    """Show a step with a bar and its time; on a terminal live, elsewhere as lines, at most one every five seconds.

    Yields:
        Step.
    """
    console, start = _stderr(), time.monotonic()
    if not console.is_terminal:
        console.print(f"… {title}", markup=False, soft_wrap=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), TimeElapsedColumn())
    live = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with live:
        yield Step(live, title)
    console.print(f"[green]✓[/] {title}  [dim]{time.monotonic() - start:.1f} s[/]", soft_wrap=True)


@contextmanager
def sentences():
    """Ends the program with one sentence on stderr and exit code 2 if bad input or a system error stops the code inside."""
    try:
        yield
    except LiteFormerError as error:
        note(f"error: {error}")
        sys.exit(2)
    except OSError as error:
        note(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        sys.exit(2)


def note(text):
    """One line on stderr, however long."""
    print(text, file=sys.stderr)


def emit(result, as_json, render):
    """Print a command's result on stdout.

    Args:
        result: JSON-able dict.
        as_json: print it as one JSON object; otherwise ``render(result)`` gives what Rich prints (None prints nothing).
    """
    if as_json:
        print(json.dumps(result))
    else:
        Console(highlight=False).print(render(result))
