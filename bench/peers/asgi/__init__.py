"""A gateway in Python with the features of ours: one ASGI application, run by uvicorn and by granian."""
