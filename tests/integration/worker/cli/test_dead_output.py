"""What ``dead export -`` writes to may be gone before it is through."""

import os
import subprocess

from tests.support.dead_letters import put_letter
from tests.support.programs import PROGRAM


def test_a_reader_that_is_gone_is_no_fault_of_the_database(database_url: str) -> None:
    put_letter(database_url)
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "AJO_DATABASE_URL": database_url}
    done = subprocess.run(
        [PROGRAM, "dead", "export", "-"], stdout=writing, stderr=subprocess.PIPE, env=environment, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
