"""A terminal in which a reader types what a document shows; commands of the program are forks of a warm process."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ajo_local.processes import environment

from tests.support import programs
from tests.support.programs import Finished
from tests.support.waiting import DEADLINE_SECONDS

QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\s#.*")
ASSIGNMENT = re.compile(r"[a-z_]+=")
OPERATORS = re.compile(r"[|<>;&`*]|\$")
VARIABLE = re.compile(r"([A-Z_]+)=(.*)", re.DOTALL)
LASTING = {
    "dev": "Ctrl-C stops",
    "worker": r"\bready\b",
    "simulate": "listening on",
    "serve": "listening|takes",
    "top": "",
    "relay": "relaying ",
    "flask": "Running on ",
}
"""Commands that go on until Ctrl-C, and what they say once they do."""
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}


@dataclass
class Terminal:
    """One shell. ``answer`` has ids that are there in place of an example's, ``instead`` our own ports and folders."""

    processes: programs.WarmProcesses
    cwd: Path
    env: dict[str, str] = field(default_factory=dict, repr=False)
    answer: Callable[[list[str]], list[str]] = list
    instead: dict[str, str] = field(default_factory=dict)

    def type(self, line: str, *, fails: bool = False) -> Finished:
        """Run a command line; one that goes on, unless it ``fails``, is left running once it says that it does."""
        for example, own in self.instead.items():
            line = line.replace(example, own)
        line = line.removesuffix(" &")  # what goes on is left running anyway
        words = shlex.split(line.replace("\\\n", " "), comments=True)
        if not words:
            return Finished(0, "", "")
        if words[0] in {"cd", ".", "export"}:
            return self._settle(line)
        if ASSIGNMENT.match(line):
            return self._settle(f"set -a\n{line}\nset +a")
        variables = {}
        while words and (given := VARIABLE.fullmatch(words[0])):
            variables[given[1]] = given[2]
            words = words[1:]
        if words[0] in LASTING and words[-1] == "run":
            return self._lasting(words, {**self._environment(), **variables}, LASTING[words[0]])
        if words[0] != "ajo-dispatch" or OPERATORS.search(QUOTED.sub("", line)):
            return self._shell(line)
        home = self.env.get("HOME", "~")
        arguments = self.answer([re.sub(r"^~(?=/|$)", home, word) for word in words[1:]])
        env = {**self.env, **variables}
        lasting = next((LASTING[word] for word in arguments[:2] if word in LASTING), None)
        if lasting is None or fails:
            return programs.run(*arguments, env=env, cwd=self.cwd)
        return self._lasting([str(programs.PROGRAM), *arguments], env, lasting)

    def _lasting(self, command: list[str], env: dict[str, str], said: str) -> Finished:
        child = self.processes.start(Path(command[0]).name, command, env=env, cwd=self.cwd)
        child.wait_for_output(said, timeout=DEADLINE_SECONDS)
        return Finished(0, child.output(), "")

    def _environment(self) -> dict[str, str]:
        path = f"{programs.PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
        return {**environment(), **programs.PLAIN, "PATH": path, **self.env}

    def _shell(self, script: str) -> Finished:
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.cwd,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def _settle(self, line: str) -> Finished:
        """Run what changes the shell itself, and go on where it leads to."""
        before = self._environment()
        done = self._shell(f"set -e\n{line}\npwd\nenv -0")
        if done.code == 0:
            folder, _, variables = done.out.partition("\n")
            after = dict(pair.split("=", 1) for pair in variables.split("\0") if pair.strip())
            self.cwd = Path(folder)
            self.env |= {
                name: value for name, value in after.items() if before.get(name) != value and name not in OF_THE_SHELL
            }
            done.out = ""
        return done
