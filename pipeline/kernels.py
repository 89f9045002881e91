"""How hot loops are compiled: with numba where it is installed, interpreted otherwise.

Kernels are written so that both ways give the same bits: integers are Python
``int`` (``int64`` when compiled) and every product is masked before it can matter
that one of them does not overflow. Compiled code is cached beside the source
(or where ``NUMBA_CACHE_DIR`` says); the cache is specific to the processor.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from importlib.resources import files
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

try:
    import numba

    COMPILED = True
except ImportError:  # a platform without LLVM: the same answers, more slowly
    COMPILED = False


def _sources() -> str:
    """Return a digest of this package's sources."""
    modules = sorted((p for p in files("pipeline").iterdir() if p.name.endswith(".py")), key=lambda p: p.name)
    return blake2b(b"".join(p.read_bytes() for p in modules), digest_size=16).hexdigest()


SOURCES = _sources()


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` without the interpreter lock; return it unchanged without numba."""
    if not COMPILED:
        return function
    compiled = numba.njit(cache=True, nogil=True)(function)
    # numba asks whether the kernel's own file changed; what it inlines from others must count too
    compiled._cache._cache_file._source_stamp = SOURCES
    return cast("Callable[P, R]", compiled)


def called(function: Callable[P, R]) -> Callable[P, R]:
    """Like :func:`kernel`, for functions that only kernels call: compiled with each of them, and not cached."""
    if not COMPILED:
        return function
    return cast("Callable[P, R]", numba.njit(nogil=True)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Like :func:`called`, for a few lines in the innermost loops: their code is copied into the caller.

    Only for the smallest: a kernel with nested copies of larger functions took a minute to compile.
    """
    if not COMPILED:
        return function
    return cast("Callable[P, R]", numba.njit(inline="always")(function))
