"""What Schemathesis needs to know that the OpenAPI document does not say."""

import json
import os
import subprocess
import uuid

import schemathesis
from schemathesis import HookContext

# Made by the server and for the next page only: a text that somebody makes up is refused.
MADE_BY_THE_SERVER = {"cursor", "after", "pageCursor"}


@schemathesis.hook
def map_query(context: HookContext, query):
    if not isinstance(query, dict):
        return query
    return {name: value for name, value in query.items() if name not in MADE_BY_THE_SERVER}


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """One JSON document a line."""
    items = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(item) for item in items).encode()


if command := os.environ.get("PORTAL_TOKEN_COMMAND"):

    @schemathesis.auth(refresh_interval=2)
    class Token:
        """A token of a new administrator each time: the run revokes and disables what it finds."""

        def get(self, case, context):
            words = [*json.loads(command), "--user", f"fuzz-{uuid.uuid4().hex[:12]}"]
            return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"
