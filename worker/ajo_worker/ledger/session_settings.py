"""What a session of ours needs whatever a role, a database or a server asks for of all of theirs."""

SETTLED = {
    "default_transaction_isolation": "read committed",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "8s",
}
"""A statement must see what was committed while it waited for a lock: at any other level it sees the ledger as it was
before, so that feedback was summed up without that of others. Our sessions are few, wait for work, and are found out
about if they are dead. And a process that is frozen within a commit, a worker or a command, must not keep what it has
locked from all others."""
