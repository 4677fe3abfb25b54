#!/usr/bin/env bash
# All checks of the training package in an environment of its own, from the lock-file. Needs Python, and PyPI the first time.
set -euo pipefail
cd "$(dirname "$0")"
unset VIRTUAL_ENV
if ! command -v uv >/dev/null; then
  [ -x .uv/bin/uv ] || { python3 -m venv .uv && .uv/bin/pip install -q uv==0.13.9; }
  PATH="$PWD/.uv/bin:$PATH"
fi
[ -d .venv ] || uv venv -q
uv pip sync -q requirements.lock
uv pip install -q --no-deps -e .
uv run --no-sync ruff check .
uv run --no-sync ruff format --check .
uv run --no-sync ty check
OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}" uv run --no-sync pytest -q
