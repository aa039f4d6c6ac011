# Two builds in two folders, under another time zone and umask, are the same
# bytes; sourced. TWICE_COLD=1 gives the second an empty build cache (slow).

test_twice() {
  local one=$work/one two=$work/second/deeper/elsewhere f failed=""
  mkdir -p "$one" "$two"
  git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done >"$work/twice"
  for f in "$one" "$two"; do tar -cf - --null -T "$work/twice" | tar -xf - -C "$f"; done
  [ -z "${TWICE_COLD:-}" ] || export GOCACHE_SECOND=$work/gocache
  (cd "$one" && JACKFIELD_DIST=$work/one.dist bash .ci/package >/dev/null)
  (cd "$two" && umask 077 && TZ=Asia/Tokyo LANG=C GOCACHE=${GOCACHE_SECOND:-$(go env GOCACHE)} JACKFIELD_DIST=$work/two.dist bash .ci/package >/dev/null)
  while read -r _ f; do
    if cmp -s "$work/one.dist/$f" "$work/two.dist/$f"; then echo "   same       $f"; else
      echo "   different  $f"
      case $f in *.msi) ;; *) failed="$failed $f" ;; esac # wixl dates the cabinet and the summary with the clock
    fi
  done <"$work/one.dist/SHA256SUMS"
  [ -z "$failed" ] || fail "not reproducible:$failed"
  passed "built twice, the same bytes"
}
