# SPDX-License-Identifier: BSD-2-Clause
"""Workers for a list of points: processes on this machine, or a Ray cluster."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from liteformer.accel.errors import LiteFormerError

NO_CLUSTER = "no Ray cluster answers at {}; start one with `ray start --head`, or leave --ray out"


def silence():
    """Drop what this process prints: a worker's progress would mix with the parent's."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _quiet_worker():
    """The parent handles Ctrl-C; the worker ends when its parent ends."""
    os.setpgrp()
    silence()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent():
    """Otherwise a worker whose parent was killed would wait for work forever."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)  # Another thread would not interrupt its waiting.


def _work(function, task, point):
    """Call ``function``; if terminated, it stops its compilers, removes temporary files and the process ends."""
    try:
        return function(task, point)
    except SystemExit:  # The pool would treat it as a result.
        os._exit(1)


class Processes:
    """Processes on this machine.

    Args:
        jobs: how many. function: of a task and a point, importable; returns the result.
    """

    def __init__(self, jobs, function):
        self.jobs, self._function = jobs, function
        self._pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_quiet_worker)
        self._running = {}

    def submit(self, number, task, point):
        """Have a point evaluated under a number."""
        self._running[self._pool.submit(_work, self._function, task, point)] = number

    def finished(self, timeout):
        """Results within ``timeout`` seconds, a list of ``(number, result)``; an evaluation's exception is raised."""
        done, _ = wait(self._running, timeout, FIRST_COMPLETED)
        try:
            return [(self._running.pop(future), future.result()) for future in done]
        except BrokenProcessPool:
            raise LiteFormerError("a worker process was killed, possibly out of memory; finished work is kept: start the same "
                                  "command again, with fewer --jobs") from None

    def stop(self):
        """End everything at once."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        for process in multiprocessing.active_children():
            process.join(5)
            process.kill()

    def close(self):
        """End the idle workers."""
        self._pool.shutdown()


def check_ray(address):
    """Raises LiteFormerError if Ray is not installed, or if nothing listens at the address, where Ray would wait."""
    try:
        import ray  # noqa: F401 (only whether it is installed)
    except ImportError:
        raise LiteFormerError("Ray is not installed; in LiteFormer's folder run pip install '.[cluster]'") from None
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except (OSError, ValueError, OverflowError):
            raise LiteFormerError(NO_CLUSTER.format(address)) from None


class Ray:
    """The nodes of a Ray cluster, each with LiteFormer installed and the data at the same path.

    Args:
        address: of the cluster as ``ray.init`` takes it, such as auto, HOST:PORT or ray://HOST:PORT; jobs: points at a
            time, None for one on each CPU of the cluster; function: as of Processes.
    Raises:
        LiteFormerError: Ray is not installed, or no cluster answers there.
    """

    def __init__(self, address, jobs, function):
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        check_ray(address)
        import ray
        self._ray = ray
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError):
            raise LiteFormerError(NO_CLUSTER.format(address)) from None
        self.jobs = jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._function = ray.remote(num_cpus=1)(function)
        self._running = {}

    def submit(self, number, task, point):
        """Have a point evaluated under a number."""
        self._running[self._function.remote(task, point)] = number

    def finished(self, timeout):
        """As of Processes."""
        done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout)
        try:
            return [(self._running.pop(reference), self._ray.get(reference)) for reference in done]
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise cause if isinstance(cause, LiteFormerError) else error from None

    def stop(self):
        """Cancel what runs."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()

    def close(self):
        """Leave the cluster."""
        self._ray.shutdown()
