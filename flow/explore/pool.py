# SPDX-License-Identifier: BSD-2-Clause
"""Points on their way between an exploration, which proposes and remembers, and the workers, which evaluate."""


def submit(exploration, workers, task, running, more):
    """Give each free worker a point.

    Args:
        exploration: study.Exploration; workers: common.workers' interface; task: as of ``workers.submit``.
        running: set of the numbers that are being evaluated, extended here; more: callable, whether another one is wanted.
    Returns:
        False once the whole space is evaluated.
    """
    while len(running) < workers.jobs and more():
        asked = exploration.ask()
        if asked is None:
            return False
        running.add(asked[0])
        workers.submit(asked[0], task, asked[1])
    return True


def collect(exploration, workers, running, columns):
    """Tell the exploration what the workers finished within a second; yields the outcomes."""
    for number, outcome in workers.finished(1.0):
        running.discard(number)
        exploration.tell(number, outcome, columns)
        yield outcome
