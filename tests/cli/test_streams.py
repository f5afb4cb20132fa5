from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_toolkit.cli.streams import results_apart, write

GANTK = [sys.executable, "-m", "gan_toolkit"]


def test_only_results_reach_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    """Python that prints, and whoever writes to file 1, both go to stderr."""
    with (
        open(1, "w", closefd=False) as out,
        open(2, "w", closefd=False) as err,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with results_apart(), results_apart():
            print("by Python")  # noqa: T201 - the subject
            os.write(1, b"by the system\n")
            write("a result")
        write("another")

    results, rest = capfd.readouterr()
    assert results == "a result\nanother\n"
    assert sorted(rest.splitlines()) == ["by Python", "by the system"]


@pytest.mark.skipif(os.name == "nt", reason="pipes and /dev")
@pytest.mark.parametrize("arguments", [("components", "list"), ("--help",), ("run", "--help")])
def test_a_closed_pipe_ends_quietly(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run([*GANTK, *arguments], stdout=writer, stderr=subprocess.PIPE, check=False)

    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full")
@pytest.mark.parametrize("arguments", [("components", "list"), ("--help",)])
def test_results_that_can_not_be_written_are_exit_8(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*GANTK, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 8
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="a shell")
def test_streams_that_were_closed_before_are_no_fault() -> None:
    script = '"$0" -m gan_toolkit components list >&- 2>&-'

    assert subprocess.run(["sh", "-c", script, sys.executable], check=False).returncode == 0


def test_a_run_ends_well_though_nobody_reads(
    gantk_process: Callable[..., subprocess.Popen[str]], recipe: Path, tmp_path: Path
) -> None:
    with gantk_process("run", recipe, "--name", "one", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.read()

    assert process.returncode == 0
    assert (tmp_path / "runs/tiny/one/model.safetensors").is_file()
