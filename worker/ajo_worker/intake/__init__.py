"""The Celery side: the application, the asyncio pool, and the hand-over of messages to the dispatcher."""
