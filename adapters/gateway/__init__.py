"""The WebSocket gateway: pushes the events of the log to whom they concern, on ``/ws``.

``Gateway`` is an ASGI application for the path ``PATH``; it stands beside the HTTP application, on the same port, and
needs uvicorn to run with ``ws=GatewayProtocol``. For other kinds of sockets: ``Outbox`` and ``Flusher`` send frames that
were made once (``frames.text_frame``) to many, each with a bound of its own.
"""
