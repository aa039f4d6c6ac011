# The .deb and the portable archive; sourced by .ci/package.
arch=$(go env GOARCH)
packager=${PACKAGER:-The Jackfield authors <jackfield@localhost>}

build_linux() {
  echo "Linux, $arch"
  build "$work/linux/jackfield" ./cmd/jackfield
  CGO_ENABLED=0 build "$work/linux/jf" ./cmd/jf
  programs+=("linux-$arch/jackfield=$work/linux/jackfield" "linux-$arch/jf=$work/linux/jf")
}

pack_linux() {
  portable
  if command -v dpkg-deb >/dev/null; then deb; else echo "No .deb: dpkg-deb is missing."; fi
}

# shared DATA: what a desktop wants to know, below DATA (/usr/share, ~/.local/share).
shared() {
  mkdir -p "$1/applications" "$1/mime/packages" "$1/metainfo" "$1/icons"
  cp "$here/linux/app.jackfield.desktop" "$1/applications/"
  cp "$here/linux/app.jackfield.xml" "$1/mime/packages/"
  filled "$here/linux/app.jackfield.metainfo.xml" >"$1/metainfo/app.jackfield.metainfo.xml"
  cp -R "$work/icons/hicolor" "$1/icons/"
}

# An AppImage would need its runtime from the network, which no Debian package
# or registry brings; the portable archive needs nothing.
portable() {
  local name=jackfield-$number-linux-$arch
  local to=$work/portable/$name
  mkdir -p "$to/share"
  cp "$work/linux/jackfield" "$work/linux/jf" LICENSE README.md "$work/THIRD-PARTY.txt" "$to/"
  install -m 755 "$here/linux/install.sh" "$to/install.sh"
  shared "$to/share"
  rm -r "$to/share/metainfo"
  tarball "$out/$name.tar.gz" "$work/portable"
}

deb() {
  local root=$work/deb machine doc
  machine=$(dpkg --print-architecture)
  doc=$root/usr/share/doc/jackfield
  mkdir -p "$root/DEBIAN" "$root/usr/bin" "$doc" "$root/usr/share/man/man1" "$root/usr/share/lintian/overrides" \
    "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" "$root/usr/share/fish/vendor_completions.d"
  cp "$work/linux/jackfield" "$work/linux/jf" "$root/usr/bin/"
  shared "$root/usr/share"
  filled "$here/linux/copyright" >"$doc/copyright"
  gzip -9n <"$work/THIRD-PARTY.txt" >"$doc/THIRD-PARTY.txt.gz"
  printf 'jackfield (%s) stable; urgency=medium\n\n  * Version %s.\n\n -- %s  %s\n' \
    "$number" "$version" "$packager" "$(day '%a, %d %b %Y %H:%M:%S +0000')" | gzip -9n >"$doc/changelog.gz"
  filled "$here/linux/jackfield.1" | gzip -9n >"$root/usr/share/man/man1/jackfield.1.gz"
  manual "$work/linux/jf" | gzip -9n >"$root/usr/share/man/man1/jf.1.gz"
  cp "$here/linux/lintian-overrides" "$root/usr/share/lintian/overrides/jackfield"
  "$work/linux/jf" completion bash >"$root/usr/share/bash-completion/completions/jf"
  "$work/linux/jf" completion zsh >"$root/usr/share/zsh/vendor-completions/_jf"
  "$work/linux/jf" completion fish >"$root/usr/share/fish/vendor_completions.d/jf.fish"
  cat >"$root/DEBIAN/control" <<D
Package: jackfield
Version: $number
Architecture: $machine
Maintainer: $packager
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Depends: $(depends "$root")
Recommends: gnome-keyring | kwalletmanager, xdg-utils, libdecor-0-0, fonts-noto-core, fonts-noto-cjk
Section: net
Priority: optional
Description: Link accounts and see what they open
 Pick a connection type, fill in its form, press Link account, and see live
 which folders, tables, people or topics those credentials open.
 .
 jackfield is the window, jf the same engine for the terminal.
D
  (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  chmod -R u=rwX,go=rX "$root"
  dated "$root"
  dpkg-deb --root-owner-group -Zxz --build "$root" "$out/jackfield_${number}_$machine.deb" >/dev/null
}

# depends ROOT: the libraries that the programs are linked with, as
# dpkg-shlibdeps finds them, and those that the window opens while it runs.
depends() {
  local linked="libc6, libgl1, libwayland-client0"
  if command -v dpkg-shlibdeps >/dev/null; then
    mkdir -p "$work/debian"
    printf 'Source: jackfield\n\nPackage: jackfield\nArchitecture: any\n' >"$work/debian/control"
    linked=$(cd "$work" && dpkg-shlibdeps -O "$1/usr/bin/jackfield" 2>/dev/null | sed 's/^shlibs:Depends=//')
  fi
  echo "$linked, libegl1, libx11-6, libx11-xcb1, libxcursor1, libxext6, libxi6, libxinerama1, libxkbcommon0, libxrandr2, libxrender1, libxxf86vm1, libwayland-cursor0, libwayland-egl1"
}

# manual JF: its manual page, from what it says about itself.
manual() {
  local jf=$1 name about
  printf '.TH JF 1 "%s" "Jackfield %s"\n.SH NAME\njf \\- Jackfield in the terminal\n.SH SYNOPSIS\n.B jf\n.I COMMAND\n.RI [ ARGUMENTS ]\n.SH DESCRIPTION\n' "$(day %Y-%m-%d)" "$number"
  "$jf" help | sed '/^$/,$d' | roff
  printf '.PP\n.B jf help\n.I COMMAND\nsays more about each.\n.SH COMMANDS\n'
  "$jf" help | sed -n '/^Available Commands:/,/^$/p' | sed '1d;/^$/d' | while read -r name about; do
    printf '.TP\n.B %s\n%s\n' "$name" "$(printf '%s' "$about" | roff)"
  done
  printf '.SH OPTIONS\n.TP\n.B \\-\\-json\none JSON document, or one object a line for listings\n.TP\n.BR \\-v ", " \\-\\-verbose\nlog to stderr what happens\n'
  printf '.SH ENVIRONMENT\n.TP\n.B JACKFIELD_HOME\nthe data folder, instead of\n.I ~/.local/share/jackfield\n.SH SEE ALSO\n.BR jackfield (1)\n'
}

roff() {
  sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"
}
