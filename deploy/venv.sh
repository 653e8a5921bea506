#!/bin/sh
# .venv with the pinned packages. `venv.sh run` for running, `venv.sh test` for what tests need besides.
# Does nothing, in a few milliseconds, when what is installed is what the files ask for.
set -eu
cd "$(dirname "$0")/.."

kind=$1
case $kind in
run) files="requirements.txt requirements-embedded.txt" ;;
test) files="requirements-dev.txt" ;;
*) echo "usage: $0 run|test" >&2; exit 2 ;;
esac

# Started by root, PostgreSQL runs under another account and must be allowed to execute what is installed here.
umask 022

say() { echo "$*" >&2; }

# A pyenv shim stands in the PATH even where its version isn't to be had, so every candidate is asked.
good() { command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
complete() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# What a distribution ships and what is configured so was compiled with a profile; pyenv's builds were not, unless asked
# for, and take a quarter longer for everything.
optimised() {
    "$1" -c 'import sys, sysconfig
named = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
sys.exit(not (named or sys.base_prefix == "/usr"))' 2>/dev/null
}

find_python() {
    incomplete=
    if [ -z "${PYTHON:-}" ]; then
        for candidate in python3.11 /usr/local/bin/python3.11 /usr/bin/python3.11; do
            if good "$candidate" && complete "$candidate" && optimised "$candidate"; then echo "$candidate"; return; fi
        done
    fi
    for candidate in "${PYTHON:-python3.11}" /usr/local/bin/python3.11 /usr/bin/python3.11 python3.13 python3.12 python3; do
        good "$candidate" || continue
        if complete "$candidate"; then echo "$candidate"; return; fi
        incomplete=${incomplete:-$candidate}
    done
    if [ -n "$incomplete" ]; then
        version=$("$incomplete" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$incomplete has no venv. Install it: apt-get install python$version-venv"
    else
        say "Python 3.11 or newer is missing. Install it: apt-get install python3.11 python3.11-venv"
    fi
    exit 1
}

# Moved, copied from another machine, made by another user or by a Python that is gone: make it anew.
usable() {
    [ -x .venv/bin/python ] && [ -e .venv/bin/pip ] &&
        [ "$(.venv/bin/python -c 'import sys; print(sys.prefix)' 2>/dev/null)" = "$(pwd -P)/.venv" ]
}

wanted() { for file in $files; do cat "$file"; done; }

stamp=.venv/installed-$kind
if usable && wanted | cmp -s - "$stamp"; then exit 0; fi

# Two stacks may be started from a fresh checkout at once: one installs, the other waits and finds it done.
if command -v flock >/dev/null 2>&1; then
    exec 9>.venv.lock
    flock 9
fi
if usable; then
    if wanted | cmp -s - "$stamp"; then exit 0; fi
else
    python=$(find_python)
    rm -rf .venv
    say "Making .venv with $python"
    "$python" -m venv .venv
fi

say "Installing $files"
set --
for file in $files; do set -- "$@" -r "$file"; done
.venv/bin/python -m pip install --disable-pip-version-check --no-input -qq "$@"
wanted >"$stamp.new"
mv "$stamp.new" "$stamp"
