"""The ledger's tables, as SQLAlchemy knows them: a test compares all of them with what migrations make.

The hot path's statements are made of the fields of its row types, which a test holds to these tables and to the types
in PostgreSQL. Nothing that runs imports this: SQLAlchemy takes long to load, and the hot path is asyncpg's.
"""
