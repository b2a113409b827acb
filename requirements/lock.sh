#!/bin/sh
# Resolve pyproject.toml into the pinned, hashed files of this folder.
#   requirements/lock.sh UV [uv options, such as --upgrade]
# No address of any registry is written: the files work with whichever one pip is
# set up for.  Pins already in a file are kept unless --upgrade is given.
set -eu
uv=$1
shift
cd "$(dirname "$0")/.."

resolve() { # resolve OUTPUT ARGUMENTS...
    output=$1
    shift
    "$uv" pip compile --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
        --no-header --allow-unsafe --quiet --output-file "$output" "$@" >/dev/null
    # The markers only repeat [tool.uv] environments, and would make pip skip every
    # package in silence anywhere else.
    sed -i.old 's/ ; .* \\$/ \\/' "$output"
    rm "$output.old"
    echo "wrote $output"
}

r=requirements
resolve $r/runtime.txt pyproject.toml "$@"
resolve $r/build.txt --group build --constraint $r/runtime.txt "$@"
resolve $r/extras.txt pyproject.toml --all-extras --constraint $r/runtime.txt "$@"
resolve $r/test.txt --group test --constraint $r/runtime.txt \
    --constraint $r/build.txt "$@"
resolve $r/fuzz.txt --group fuzz --constraint $r/extras.txt "$@"
resolve $r/croissant.txt --group croissant --constraint $r/extras.txt "$@"
resolve $r/samples.txt --group samples --constraint $r/extras.txt "$@"
resolve $r/pdq.txt --group pdq --constraint $r/extras.txt \
    --constraint $r/samples.txt "$@"
resolve $r/interop.txt --group interop --constraint $r/extras.txt "$@"
resolve $r/lint.txt --group lint --constraint $r/runtime.txt \
    --constraint $r/build.txt --constraint $r/test.txt "$@"
resolve $r/lock.txt --group lock "$@"
