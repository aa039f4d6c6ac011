# The .deb in a system that has nothing but Debian's essential packages; sourced.

test_deb() {
  local deb root=$work/chroot base=$cache/bookworm-minbase.tar before=$work/before after=$work/after tool had
  deb=$(ls "$dist"/jackfield_*_"$(dpkg --print-architecture)".deb)
  need mmdebstrap mmdebstrap
  need lintian lintian
  need desktop-file-validate desktop-file-utils
  need appstreamcli appstream

  # There is no mail address of the authors to give: see PACKAGER in linux.sh.
  lintian --allow-root --fail-on error --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$deb"
  dpkg-deb -x "$deb" "$work/deb"
  desktop-file-validate "$work/deb/usr/share/applications/app.jackfield.desktop"
  # The program's name in Wayland and everywhere else is app.jackfield, of two parts.
  appstreamcli validate --no-net --override=cid-desktopapp-is-not-rdns=info "$work/deb/usr/share/metainfo/app.jackfield.metainfo.xml"
  passed "lintian finds no error; desktop entry and AppStream data are sound"

  if [ ! -s "$base" ]; then
    mkdir -p "$cache"
    mmdebstrap --quiet --variant=minbase bookworm "$base.part" http://deb.debian.org/debian
    mv "$base.part" "$base"
  fi
  mkdir -p "$root"
  tar -xf "$base" -C "$root" --numeric-owner
  cp /etc/resolv.conf "$root/etc/"
  # What apt needs to get out of here, where this machine has a proxy.
  for tool in /etc/apt/apt.conf.d/*proxy*; do [ ! -e "$tool" ] || cp "$tool" "$root/etc/apt/apt.conf.d/"; done
  inside 'apt-get update -qq'
  listed "$root" >"$before"
  had=$(packages)
  cp "$deb" "$root/tmp/jackfield.deb"
  inside 'DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /tmp/jackfield.deb >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; exit 1; }'
  passed "installed; it brought $(($(packages) - had - 1)) libraries and other packages"
  inside 'jf --help' >/dev/null
  inside 'JACKFIELD_HOME=/tmp/jf-data jf --json doctor' >"$work/doctor.json" || :
  grep -q '"jf [0-9]' "$work/doctor.json" || fail "jf doctor in the chroot: $(cat "$work/doctor.json")"
  inside 'jf practice --tour' >"$work/tour.txt" 2>&1 || { cat "$work/tour.txt"; fail "jf practice --tour in the chroot"; }
  passed "jf answers, and tours the practice services"

  screen
  mkdir -p "$root/tmp/.X11-unix"
  background inside "DISPLAY=$DISPLAY LIBGL_ALWAYS_SOFTWARE=1 MESA_SHADER_CACHE_DISABLE=true exec jackfield" >"$work/window.log" 2>&1
  local window
  window=$(window_of "$work/window.log")
  settle "$window"
  shot deb-in-a-clean-chroot
  has_colours "$shots/deb-in-a-clean-chroot.png"
  close_window "$window"
  passed "the window opens: $shots/deb-in-a-clean-chroot.png"

  inside 'DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq jackfield >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get autoremove --purge -y -qq >/dev/null'
  listed "$root" >"$after"
  # What stays is what dpkg, apt and the triggers of other packages write.
  comm -13 "$before" "$after" >"$work/left"
  nothing "left behind after purge" "$(grep -iE 'jackfield|/jf(\.|$)' "$work/left")"
  nothing "left behind after purge" "$(grep -vE "$of_others" "$work/left")"
  passed "purged: nothing of it is left"
}

of_others='^/(etc/ld\.so\.cache$|var/cache/|var/lib/(dpkg|apt)/|var/log/)'

# inside COMMAND: run in the chroot, with its own processes and mounts.
inside() {
  mkdir -p "$work/x11" /tmp/.X11-unix
  unshare --mount --pid --fork --kill-child bash -c '
    set -e
    mount --make-rprivate /
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mkdir -p "$1/tmp/.X11-unix"
    mount --bind /tmp/.X11-unix "$1/tmp/.X11-unix"
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/home LC_ALL=C.UTF-8 ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} chroot "$1" sh -c "$2"
  ' inside "$work/chroot" "$1"
}

# packages: how many are installed in the chroot.
packages() { grep -c '^Status: install ok installed' "$work/chroot/var/lib/dpkg/status"; }

# listed ROOT: its files, without what is not of the system.
listed() {
  (cd "$1" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./sys -o -path ./tmp \) -prune -o -print | sed 's/^\.//' | LC_ALL=C sort)
}
