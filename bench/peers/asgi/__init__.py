"""A gateway in Python with the features of ours, as one ASGI application: run by uvicorn and by granian."""
