#!/usr/bin/env bash
# Make everything ready: system packages that are missing, then .venv from the hash-locked file.
# Usage: requirements/setup.sh demo|test     (test also needs a browser)
set -euo pipefail
cd "$(dirname "$0")/.."
want=${1:-demo}
python=${PYTHON:-python3}

missing=()
command -v "$python" >/dev/null || missing+=(python3)
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
# Receipts in Persian need FriBidi; Pillow's wheel brings everything else.
{ ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep -q 'libfribidi\.so\.0' || missing+=(libfribidi0)
if [ "$want" = test ] && [[ " ${DAFTAR_TEST_WITHOUT:-} " != *" chromium "* ]]; then
  command -v chromium >/dev/null || missing+=(chromium)
fi

if [ ${#missing[@]} -gt 0 ]; then
  line="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" = 0 ]; then
    root=()
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    root=(sudo)
  else
    echo "These system packages are missing: ${missing[*]}" >&2
    echo "Run this once, then start again:" >&2
    echo "  sudo sh -c '$line'" >&2
    exit 1
  fi
  echo "Installing system packages: ${missing[*]}"
  "${root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Python 3.11 or newer is needed; $python is $("$python" --version 2>&1)." >&2
  exit 1
}

stamp=.venv/.made-from
made_from=$(cat requirements/dev.txt pyproject.toml hatch_build.py | sha256sum | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null)" != "$made_from" ] || [ ! -x .venv/bin/daftar ]; then
  echo "Making .venv (a minute or two the first time)…"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  # Where the lock names a pip, that one first: it takes half the time of the one that Python brings.
  # Bytecode is made of what is imported, when it is: of most that lies in the packages nothing ever is.
  install=(.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-compile)
  newer=$(sed -n '/^pip==/,/[^\\]$/p' requirements/dev.txt)
  [ -z "$newer" ] || "${install[@]}" --require-hashes -r <(echo "$newer")
  "${install[@]}" --require-hashes -r requirements/dev.txt
  "${install[@]}" --no-build-isolation -e .
  echo "$made_from" > "$stamp"
fi
