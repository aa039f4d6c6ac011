# The portable archive, and its installation for one user; sourced.

test_portable() {
  local home=$work/home/"a person’s \$home" folder data
  mkdir -p "$home/.config" "$home/.cache"
  tar -xzf "$(ls "$dist"/jackfield-*-linux-"$(go env GOARCH)".tar.gz)" -C "$work"
  folder=$(echo "$work"/jackfield-*-linux-*)
  data=$home/.local/share
  at_home() { env -u XDG_DATA_HOME -u XDG_CONFIG_HOME -u XDG_CACHE_HOME HOME="$home" "$@"; }
  need update-desktop-database desktop-file-utils
  need update-mime-database shared-mime-info

  at_home "$folder/jf" --help >/dev/null
  screen
  background at_home LIBGL_ALWAYS_SOFTWARE=1 "$folder/jackfield" >"$work/portable.log" 2>&1
  local window
  window=$(window_of "$work/portable.log")
  settle "$window"
  shot portable
  has_colours "$shots/portable.png"
  close_window "$window"
  passed "runs from its folder: $shots/portable.png"

  mkdir -p "$data/jackfield"
  echo kept >"$data/jackfield/practice-only-data"
  at_home "$folder/install.sh"
  at_home "$folder/install.sh" >/dev/null
  at_home "$home/.local/bin/jf" --help >/dev/null
  desktop-file-validate "$data/applications/app.jackfield.desktop"
  grep -qF 'application/x-jackfield:*.jackfield' "$data/mime/globs2" || fail "the kind of a .jackfield file is not known"
  grep -q '^application/x-jackfield=app.jackfield.desktop' "$data/applications/mimeinfo.cache" || fail "nothing opens a .jackfield file"
  grep -q '^x-scheme-handler/jackfield=app.jackfield.desktop' "$data/applications/mimeinfo.cache" || fail "nothing opens a jackfield: link"
  passed "installed for one user: files and links open with it"
  at_home "$home/.local/opt/jackfield/install.sh" --uninstall
  nothing "left behind" "$(find "$home/.local" -path "$data/jackfield" -prune -o \( -iname '*jackfield*' -o -name jf \) -print)"
  [ "$(cat "$data/jackfield/practice-only-data")" = kept ] || fail "the connections are gone"
  passed "removed: the connections stay, nothing else"
}
