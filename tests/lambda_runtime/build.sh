#!/usr/bin/env bash
# AWS's own runtime client for Lambda's Node.js, npm's aws-lambda-ric, compiled into a folder: `build.sh FOLDER`.
# The first `node` on PATH is the one it will run under.
set -euo pipefail

PROGRAMS=(autoreconf automake cmake g++ libtoolize make xz)
PACKAGES=(autoconf automake cmake g++ libtool make xz-utils)

missing_packages() {
    for place in "${!PROGRAMS[@]}"; do
        command -v "${PROGRAMS[place]}" >/dev/null || echo "${PACKAGES[place]}"
    done
}

install_packages() {
    echo "==> Needed to compile it, and not on this machine: $*"
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        echo "Install them first; on Debian: sudo apt-get install $*" >&2
        exit 1
    fi
    echo "==> Installing them with apt-get"
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends "$@" >/dev/null
}

folder=$1
here=$(dirname "${BASH_SOURCE[0]}")
mapfile -t missing < <(missing_packages)
[[ ${#missing[@]} == 0 ]] || install_packages "${missing[@]}"

mkdir -p "$folder"
cp "$here/package.json" "$here/package-lock.json" "$folder"
# The headers lie beside Node itself; without this, node-gyp would fetch them.
headers=$(node --print 'require("node:path").resolve(process.execPath, "../..")')
[[ ! -e $headers/include/node/node.h ]] || export npm_config_nodedir=$headers
npm ci --prefix "$folder" --loglevel error --no-audit --no-fund >/dev/null
