#!/bin/sh
# Install what the tests need besides Python packages: a browser, a Chinese font, PostgreSQL with PostGIS, a PDF reader.
set -eu

need() { # need COMMAND-OR-FILE PACKAGE...
	probe=$1
	shift
	if ! command -v "$probe" >/dev/null 2>&1 && [ ! -e "$probe" ]; then
		missing="${missing-} $*"
	fi
}

missing=
need chromium chromium
need /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc fonts-noto-cjk
need /usr/lib/postgresql/15/bin/initdb postgresql-15
need /usr/share/postgresql/15/extension/postgis.control postgresql-15-postgis-3
need nginx nginx-light
need pdftoppm poppler-utils

[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
	echo "The tests need:$missing. Install them with your system's package manager." >&2
	exit 1
fi
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
$as_root apt-get update -q
# shellcheck disable=SC2086 # the list is meant to be split
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends $missing
