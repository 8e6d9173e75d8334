"""Memory of a training run on the CPU."""

from __future__ import annotations

import ctypes
import logging

logger = logging.getLogger(__name__)

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
_LARGEST = 1 << 30


def keep_freed_memory() -> None:
    """Asks the C library to keep freed memory for the next step.

    Every step allocates the same large tensors; by default each is taken from and given back to the
    system, whose clearing of pages costs a fifth of a step. Does nothing where the C library is
    not glibc.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _LARGEST)
        library.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST - 1)
    else:
        logger.debug("this C library has no mallopt")
