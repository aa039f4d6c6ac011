# What the package tests share; sourced.
pids=()

passed() { echo "ok $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

# nothing MESSAGE TEXT: fails when there is a text.
nothing() { [ -z "$2" ] || fail "$1:"$'\n'"$2"; }

# background COMMAND…: stopped at the end at the latest.
background() {
  "$@" &
  pids+=($!)
}

finish() {
  local pid
  for pid in "${pids[@]:-}"; do [ -z "$pid" ] || kill "$pid" 2>/dev/null || :; done
  [ -z "${prefix:-}" ] || WINEPREFIX=$prefix wineserver -k 2>/dev/null || :
  wait 2>/dev/null || :
  rm -rf "$work"
}

# screen: an X server of its own, in DISPLAY, once.
screen() {
  [ -z "${screened:-}" ] || return 0
  need Xvfb xvfb
  need xdotool xdotool
  need import imagemagick
  need openbox openbox
  exec 7<>"$work/.display"
  background Xvfb -displayfd 7 -screen 0 1600x1000x24 -nolisten tcp 2>/dev/null
  for _ in $(seq 100); do [ -s "$work/.display" ] && break; sleep 0.1; done
  DISPLAY=:$(head -n 1 "$work/.display")
  export DISPLAY
  background openbox >/dev/null 2>&1
  screened=yes
}

# window_of LOG: the number of Jackfield's window once it is there.
window_of() {
  local w
  for _ in $(seq 240); do
    w=$(xdotool search --onlyvisible --name '^Jackfield$' 2>/dev/null | tail -n 1 || :)
    [ -z "$w" ] || { echo "$w"; return 0; }
    sleep 0.5
  done
  cat "$1" >&2
  fail "no window of Jackfield"
}

# settle WINDOW: waits until two pictures a second apart are the same.
settle() {
  local last="" now
  for _ in $(seq 60); do
    now=$(import -silent -window root rgb:- | sha256sum)
    [ "$now" != "$last" ] || return 0
    last=$now
    sleep 1
  done
  fail "the window never comes to rest"
}

# shot NAME: a picture of the screen, in dist/shots.
shot() { import -silent -window root "$shots/$1.png"; }

# has_colours PICTURE: an empty window has one or two.
has_colours() {
  local n
  n=$(identify -format %k "$1")
  [ "$n" -gt 50 ] || fail "$1 shows nothing: $n colours"
}

close_window() {
  xdotool windowactivate --sync "$1" key alt+F4 2>/dev/null || :
  for _ in $(seq 40); do
    xdotool search --onlyvisible --name '^Jackfield$' >/dev/null 2>&1 || return 0
    sleep 0.25
  done
  fail "the window does not close"
}

test_sums() {
  (cd "$dist" && sha256sum --quiet -c SHA256SUMS) || fail "SHA256SUMS"
  python3 - "$dist/jackfield-$number.cdx.json" <<'P' || fail "the bill of materials"
import json, sys
bill = json.load(open(sys.argv[1]))
assert bill["bomFormat"] == "CycloneDX" and bill["specVersion"] == "1.5"
refs = [c["bom-ref"] for c in bill["components"]]
assert len(refs) == len(set(refs)) > 50, refs
assert all(r in refs for d in bill["dependencies"] for r in d["dependsOn"])
unknown = [c["name"] for c in bill["components"] if c["type"] == "library" and not c.get("licenses")]
assert not unknown, "no licence is known of %s" % unknown
missing = [c["name"] for c in bill["components"] if c["type"] == "library" and c["name"] != "std" and not c.get("hashes")]
assert not missing, "no checksum of %s" % missing
print("   %d parts" % len(refs))
P
  passed "checksums and bill of materials"
}
