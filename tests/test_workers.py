from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from indexer import workers
from indexer.workers import Worker, WorkerError


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.stop()


def test_calls_are_made_in_one_process_that_is_not_this_one(worker):
    first, second = worker.call(os.getpid), worker.call(os.getpid)
    assert first == second != os.getpid()
    assert worker.call(max, 3, 7) == 7


def test_a_process_that_dies_costs_one_call(worker):
    with pytest.raises(WorkerError):
        worker.call(os._exit, 1)
    assert worker.call(max, 3, 7) == 7


def test_a_process_that_was_ended_between_two_calls_costs_none(worker):
    os.kill(worker.call(os.getpid), signal.SIGTERM)
    worker._process.wait()
    assert worker.call(max, 3, 7) == 7


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches one thread there")
def test_what_ctrl_c_interrupted_is_not_the_result_of_the_next_call(worker):
    worker.call(max, 3, 7)
    interrupt = threading.Timer(0.3, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    # A shell has what it runs in the background ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            worker.call(time.sleep, 2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert worker.call(max, 3, 7) == 7


def test_a_call_that_does_not_end_is_ended(worker, monkeypatch):
    monkeypatch.setattr(workers, "TIMEOUT_S", 0.5)
    with pytest.raises(WorkerError):
        worker.call(time.sleep, 60)


def test_calls_of_several_threads_take_turns(worker):
    found = {}

    def ask(number):
        found[number] = worker.call(max, number, 0)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: number for number in range(8)}


def test_where_no_process_can_be_started_the_call_is_made_here(worker, monkeypatch, caplog):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert worker.call(os.getpid) == os.getpid()
    assert "no other can be started" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_has_a_worker_of_its_own():
    before = workers.SHARED.call(os.getpid)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, str(workers.SHARED.call(os.getpid)).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    in_child = int(os.read(read, 100))
    assert before == workers.SHARED.call(os.getpid) != in_child


@pytest.mark.skipif(sys.platform == "win32", reason="there only the wall clock ends a call")
def test_the_limit_of_cpu_time_holds_in_workers_alone(worker):
    workers.limit_cpu(0)  # does nothing here: this process must not die of it
    with pytest.raises(WorkerError):
        worker.call(spin_with_a_limit)


def spin_with_a_limit():
    workers.limit_cpu(0)
    while True:
        pass


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal on this system")
def test_a_worker_whose_parent_was_killed_ends_in_silence():
    code = (
        "import os, time; from indexer.workers import SHARED; SHARED.call(max, 1, 2);"
        " import threading; threading.Thread(target=SHARED.call, args=(time.sleep, 1), daemon=True).start();"
        " time.sleep(0.3); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, b"")
