#!/bin/sh
# The root file system is read-only and numba wants to write beside its cache, so the baked one goes to /tmp
# (a tmpfs or emptyDir; some megabytes).
set -eu
if [ ! -d "$NUMBA_CACHE_DIR" ]; then
    cp -R /opt/samewire/numba "$NUMBA_CACHE_DIR"
fi
exec samewire "$@"
