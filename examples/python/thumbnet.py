"""A client of the service in Python's standard library alone: copy this file into your project.

    SERVICE=https://thumbnails.example.com SIGNING_KEY_ID=web-1 SIGNING_SECRET=... python3 thumbnet.py photo.jpg https://example.com/a.jpg

prints what is in each photo, and saves the thumbnail of each as <number>.png. Without a key URLs are sent unsigned.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_ITEMS = 100  # the most that the service takes in one batch


class ProblemError(Exception):
    """What the service refused or could not do; `code` is stable (docs/problems.md)."""

    def __init__(self, problem: dict[str, str], status: int) -> None:
        super().__init__(f"{problem.get('title')}: {problem.get('detail')}")
        self.code = problem.get("type", "").rpartition("/")[2]
        self.status = status


@dataclass(frozen=True)
class Client:
    """`photo` is an http(s) URL, `r2:` and a key as it is called in R2, or the bytes of a photo.

    Options are those of the URL contract, and `preset`, the name of one.
    """

    service: str
    key_id: str = ""
    secret: str = ""
    expires_in: int = 3600
    """Seconds for which signed URLs are good."""

    def thumbnail(self, photo: str | bytes, **options: str | int) -> bytes:
        """The thumbnail's file. Raises ProblemError."""
        return self._ask("thumbnail", photo, options)

    def classify(self, photo: str | bytes, **options: str | int) -> dict:
        """`predictions` (label, index, probability) best first, `model`, `thumbnail`. Raises ProblemError."""
        return json.loads(self._ask("classify", photo, options))

    def batch(self, sources: Sequence[str], **options: str | int) -> Iterator[dict]:
        """Answers as they are ready, not in order; `index` says for which source, `status` how it went.

        Raises ProblemError, and ConnectionError if the connection ends before the last answer.
        """
        for start in range(0, len(sources), MAX_ITEMS):
            items = []
            for source in sources[start : start + MAX_ITEMS]:  # signed only now, for the time they take
                _, _, segment, rest = self._path("classify", source, options).split("/", 3)
                items.append({"options": segment, "source": rest})
            answers = 0
            with self._open("/batch", json.dumps({"items": items}).encode()) as lines:
                for line in lines:
                    answer = json.loads(line)
                    answers += 1
                    yield {**answer, "index": start + answer["index"]}
            if answers < len(items):
                raise ConnectionError(f"The connection ended after {answers} of {len(items)} answers of the batch.")

    def _ask(self, route: str, photo: str | bytes, options: dict[str, str | int]) -> bytes:
        source, body = (photo, None) if isinstance(photo, str) else ("", photo)
        with self._open(self._path(route, source, options), body) as answer:
            return answer.read()

    def _path(self, route: str, source: str, options: dict[str, str | int]) -> str:
        """Signed over path and query as they are sent, the signature then put at the end of the options."""
        if source.startswith("r2:"):
            key = source.removeprefix("r2:")
            # Between slashes, "." and ".." would be taken for folders.
            source = "r2:" + urllib.parse.quote(key, safe="" if {".", ".."} & set(key.split("/")) else "/")
        else:
            source = urllib.parse.quote(source.partition("#")[0], safe="%/:?=&,;@!$'()*+[]")  # the fragment is not sent
        pairs = [f"{name}={value}" for name, value in sorted(options.items()) if name != "preset"]
        preset = [str(options["preset"])] if "preset" in options else []
        segment = ",".join(preset + pairs) or "_"
        if not self.secret:
            return f"/{route}/{segment}" + (f"/{source}" if source else "")
        start = f"/{route}/{segment},exp={int(time.time()) + self.expires_in}"
        rest = f"/{source}" if source else ""
        digest = hmac.new(self.secret.encode(), (start + rest).encode(), hashlib.sha256).digest()
        signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return f"{start},sig={self.key_id}.{signature}{rest}"

    def _open(self, path: str, body: bytes | None):
        headers = {} if body is None else {"content-type": "application/octet-stream"}
        request = urllib.request.Request(self.service.rstrip("/") + path, data=body, headers=headers)
        try:
            return urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            is_problem = error.headers.get_content_type() == "application/problem+json"
            problem = json.loads(text) if is_problem else {"title": f"HTTP {error.code}", "detail": text[:200]}
            raise ProblemError(problem, error.code) from None


def main() -> int:
    client = Client(os.environ["SERVICE"], os.environ.get("SIGNING_KEY_ID", ""), os.environ.get("SIGNING_SECRET", ""))
    failed = 0
    for number, name in enumerate(sys.argv[1:]):
        photo = name if re.match(r"https?:|r2:", name) else Path(name).read_bytes()
        try:
            Path(f"{number}.png").write_bytes(client.thumbnail(photo, size=56, format="png"))
            best = client.classify(photo, size=56, top=1)["predictions"][0]
            print(f"{name}: {best['label']} {best['probability']:.3f}")
        except ProblemError as error:
            failed = 1
            print(f"{name}: {error.code}: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
