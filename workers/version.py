"""The version of samewire that runs."""

from importlib.metadata import PackageNotFoundError, version


def samewire_version() -> str:
    """Return the installed version; ``unknown`` in a source tree that was never installed."""
    try:
        return version("samewire")
    except PackageNotFoundError:
        return "unknown"
