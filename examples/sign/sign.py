"""Signs a URL path of the service: SIGNING_KEY_ID=... SIGNING_SECRET=... python3 sign.py PATH

PATH is the path and query exactly as they will be sent, e.g. /thumbnail/size=56,exp=4102444800/https://example.com/a.jpg
"""

import base64
import hashlib
import hmac
import os
import re
import sys


def sign(path: str, key_id: str, secret: str) -> str:
    """Puts the signature of `path` at the end of its options (the second segment)."""
    digest = hmac.new(secret.encode(), path.encode(), hashlib.sha256).digest()
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    options = re.match(r"/[^/]+/[^/?]+", path)
    if not options:
        raise ValueError(f"Expected a path like /thumbnail/<options>/<source>, but got {path}.")
    return f"{options[0]},sig={key_id}.{signature}{path[options.end() :]}"


if __name__ == "__main__":
    print(sign(sys.argv[1], os.environ["SIGNING_KEY_ID"], os.environ["SIGNING_SECRET"]))
