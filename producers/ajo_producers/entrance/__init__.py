"""The HTTP entrance of programs that take requests: bounded in connections, in time and in bytes.

The worker's receiver of feedback and the intake of events stand on it. Needs uvicorn and starlette, but for
``address.py`` and ``bearer.py``.
"""
