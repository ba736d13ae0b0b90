"""What the keeper learns from its orders."""

import signal

from ajo_local.keeper import follow


def test_a_process_that_was_forgotten_is_not_ended() -> None:
    orders = ["watch 10 15\n", "watch 11 2\n", "forget 10\n"]
    assert follow(orders) == ({11: signal.SIGINT}, [])


def test_a_folder_with_spaces_is_removed_whole() -> None:
    assert follow(["remove /tmp/a folder of mine\n"]) == ({}, ["/tmp/a folder of mine"])


def test_orders_cut_off_by_the_end_of_the_starter_change_nothing_else() -> None:
    assert follow(["watch 10 15\n", "", "forget 99\n"]) == ({10: signal.SIGTERM}, [])
