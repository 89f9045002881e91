"""The image's health check: exit code 0 when the worker answers /healthz."""

import os
import sys
import urllib.request

try:
    port = int(os.environ.get("SAMEWIRE_METRICS__PORT", "9100"))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=3) as answer:
        sys.exit(answer.status != 200)
except OSError as error:
    sys.exit(f"not healthy: {error}")
