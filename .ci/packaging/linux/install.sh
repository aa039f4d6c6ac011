#!/bin/sh
# Installs Jackfield for this user, without administrator rights: the programs
# into ~/.local/opt/jackfield, links to them into ~/.local/bin, and an entry in
# the menu of applications. "./install.sh --uninstall" removes all of that and
# leaves your connections alone (they are in ~/.local/share/jackfield).
set -eu
from=$(cd "$(dirname "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
programs=$HOME/.local/opt/jackfield
bin=$HOME/.local/bin

# What is below share/, one path a line.
shared() { (cd "$1/share" && find . -type f); }

# The desktop reads its lists anew where it has such tools.
refresh() {
  if command -v update-desktop-database >/dev/null; then update-desktop-database -q "$data/applications" || :; fi
  if command -v update-mime-database >/dev/null; then update-mime-database "$data/mime" || :; fi
  if command -v gtk-update-icon-cache >/dev/null; then gtk-update-icon-cache -q -t -f "$data/icons/hicolor" || :; fi
}

uninstall() {
  [ ! -d "$programs/share" ] || shared "$programs" | while IFS= read -r f; do rm -f "$data/$f"; done
  for name in jackfield jf; do
    [ "$(readlink "$bin/$name" 2>/dev/null || :)" != "$programs/$name" ] || rm "$bin/$name"
  done
  rm -rf "$programs"
}

case ${1:-} in
--uninstall)
  uninstall
  refresh
  echo "Jackfield is removed. Your connections are still in $data/jackfield."
  exit 0 ;;
"") ;;
*)
  echo "usage: $0 [--uninstall]" >&2
  exit 2 ;;
esac

if [ "$from" = "$programs" ]; then
  echo "This is the installed copy already; run the install.sh of the archive." >&2
  exit 2
fi
uninstall
mkdir -p "$programs" "$bin" "$data/applications" "$data/mime/packages"
cp -R "$from/." "$programs/"
for name in jackfield jf; do ln -sfn "$programs/$name" "$bin/$name"; done
shared "$programs" | while IFS= read -r f; do
  mkdir -p "$data/$(dirname "$f")"
  cp "$programs/share/$f" "$data/$f"
done
# In a desktop entry a quoted argument knows \\, \", \` and \$, and a percent sign is doubled.
quoted=$(printf '%s' "$programs/jackfield" | sed -e 's/[\\"`$]/\\\\&/g' -e 's/%/%%/g' -e 's/[&|\\]/\\&/g')
sed "s|^Exec=.*|Exec=\"$quoted\" %u|" "$programs/share/applications/app.jackfield.desktop" >"$data/applications/app.jackfield.desktop"
refresh
echo "Jackfield is in your menu of applications, and as 'jackfield' and 'jf' in $bin."
case ":$PATH:" in *":$bin:"*) ;; *) echo "To call it by name, add $bin to your PATH." ;; esac
