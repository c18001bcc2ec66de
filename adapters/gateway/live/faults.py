"""How an error in Live View is logged: where it was, and never what it says, which may hold a part of the text (R6)."""

from __future__ import annotations

import structlog

logger = structlog.get_logger(__name__)


def log_fault(event: str, error: BaseException) -> None:
    """Log the kind of an error, and the steps that led to it."""
    logger.error(event, error=type(error).__name__, at=_steps(error))


def _steps(error: BaseException) -> list[str]:
    """File, line and function of each step."""
    steps, traceback = [], error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        steps.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return steps
