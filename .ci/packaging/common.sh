# What every packaging script needs; sourced, in the root of the source.
# Also read by the bash 3.2 of macOS.
set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
umask 022

here=$PWD/.ci/packaging
out=${JACKFIELD_DIST:-$PWD/dist}
number=$(sed -n 's/^Version = "\(.*\)"/\1/p' FyneApp.toml)
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || true)
version=$number
if [ -n "$commit" ] && [ "$(git describe --tags --exact-match 2>/dev/null || true)" != "v$number" ]; then
  version="$number+$commit"
fi
# Everything that carries a date carries this one: the same source makes the
# same packages (https://reproducible-builds.org/docs/source-date-epoch/).
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)}
export SOURCE_DATE_EPOCH
tags=migrated_fynedo,no_animations
ldflags="-s -w -buildid= -X main.version=$version"
# The flags of one machine's environment are none of the package's.
unset GOFLAGS

sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"

# need COMMAND PACKAGE: installs the Debian package when the command is missing.
need() {
  command -v "$1" >/dev/null && return 0
  command -v apt-get >/dev/null || { echo "$1 is needed ($2 on Debian)" >&2; exit 1; }
  echo "Installing with: $sudo apt-get install --no-install-recommends $2"
  $sudo apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $2 >/dev/null
}

# build OUT PACKAGE [MORE LDFLAGS]: one program; the environment says for what.
build() {
  go build -trimpath -buildvcs=false -tags $tags -ldflags "$ldflags ${3:-}" -o "$1" "$2"
}

# dated FOLDER: every file gets the date of the source.
dated() {
  find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# tarball FILE FOLDER: what is in FOLDER, in an order and with owners that do
# not depend on the machine.
tarball() {
  tar -C "$2" --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf - . | gzip -n >"$1"
}

# zipped FILE FOLDER
zipped() {
  dated "$2"
  rm -f "$1"
  (cd "$2" && find . -mindepth 1 | sort | zip -q -X "$1" -@)
}

# filled TEMPLATE: its @NAMES@ replaced.
filled() {
  sed -e "s|@NUMBER@|$number|g" -e "s|@VERSION@|$version|g" -e "s|@DATE@|$(day %Y-%m-%d)|g" -e "s|@YEAR@|$(day %Y)|g" "$1"
}

# day FORMAT: the date of the source.
day() {
  date -u -d "@$SOURCE_DATE_EPOCH" "+$1" 2>/dev/null || date -u -r "$SOURCE_DATE_EPOCH" "+$1"
}
