"""Compiled code is thrown away when any source that it may contain has changed."""

from typing import Any, cast

import pytest

from pipeline.kernels import COMPILED, SOURCES, kernel
from pipeline.matching import match_batch
from pipeline.tokenizer import tokenize


@pytest.mark.skipif(not COMPILED, reason="without numba nothing is compiled")
@pytest.mark.parametrize("compiled", [tokenize, match_batch])
def test_the_cache_of_compiled_code_is_bound_to_all_sources(compiled: Any) -> None:
    assert compiled._cache._cache_file._source_stamp == SOURCES
    assert cast("Any", kernel)(compiled.py_func)._cache._cache_file._source_stamp == SOURCES
