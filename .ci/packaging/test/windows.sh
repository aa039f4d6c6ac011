# The Windows packages under Wine: installed, started, linked, removed; sourced.
prefix=""

test_windows() {
  local setup programs roaming name=jackfield-$number-windows-amd64
  need wine "wine wine64"
  need wrestool icoutils
  need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64-posix
  setup=$dist/$name-setup.exe
  unzip -q "$dist/$name.zip" -d "$work/zip"
  has_resources "$work/zip/Jackfield/jackfield.exe"
  has_resources "$work/zip/Jackfield/jf.exe"

  screen
  fresh_prefix
  programs=$prefix/drive_c/users/$USER/AppData/Local/Programs/Jackfield
  roaming=$prefix/drive_c/users/$USER/AppData/Roaming

  # Over an older version, whose files and entry are replaced.
  mkdir -p "$programs"
  echo older >"$programs/jackfield.exe"
  entry='HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Jackfield'
  windows reg add "$entry" /v DisplayVersion /d 0.0.1 /f >/dev/null
  windows "$setup" /S || fail "the installer"
  cmp "$programs/jackfield.exe" "$work/zip/Jackfield/jackfield.exe" || fail "not the program of the archive"
  [ -f "$roaming/Microsoft/Windows/Start Menu/Programs/Jackfield.lnk" ] || fail "no entry in the start menu"
  registered "$entry" DisplayVersion "$number"
  registered "$entry" Publisher "The Jackfield authors"
  registered "$entry" EstimatedSize 0x
  registered 'HKCU\Software\Classes\.jackfield' '(Default)' Jackfield.Connections
  registered 'HKCU\Software\Classes\Jackfield.Connections\shell\open\command' '(Default)' '" -- "%1"'
  registered 'HKCU\Software\Classes\jackfield\shell\open\command' '(Default)' '" -- "%1"'
  passed "installed silently over an older version"

  windows "$programs/jf.exe" doctor >"$work/doctor" || fail "jf doctor: $(cat "$work/doctor")"
  grep -q "keychain  *the system's keychain answers" "$work/doctor" || fail "jf doctor: $(cat "$work/doctor")"
  passed "jf.exe: $(head -n 1 "$work/doctor" | tr -d '\r')"
  in_the_window "$programs"

  windows "$programs/uninstall.exe" /S || fail "the uninstaller"
  for _ in $(seq 40); do [ -e "$programs" ] || break; sleep 0.5; done # it goes on as a copy of itself
  [ ! -e "$programs" ] || fail "left behind: $(ls "$programs")"
  [ ! -e "$roaming/Microsoft/Windows/Start Menu/Programs/Jackfield.lnk" ] || fail "left in the start menu"
  windows reg query 'HKCU\Software' /s >"$work/registry" 2>/dev/null
  nothing "left in the registry" "$(grep -v 'Credential Manager' "$work/registry" | grep -i '^HKEY.*jackfield')"
  [ -n "$(ls "$roaming/Jackfield/connections")" ] || fail "the connections are gone"
  passed "uninstalled: the connections and their key stay, nothing else"
  by_msi "$dist/$name.msi" "$programs"
}

# in_the_window PROGRAMS: links a practice connection by keyboard alone.
in_the_window() {
  local window programs=$1 status=0
  background windows "$programs/jackfield.exe" >"$work/wine.log" 2>&1
  window=$(window_of "$work/wine.log")
  settle "$window"
  shot windows-welcome
  xdotool windowactivate --sync "$window" key Tab
  sleep 1
  xdotool key Return
  connections 1
  settle "$window"
  xdotool key ctrl+Return
  for _ in $(seq 60); do
    windows "$programs/jf.exe" --json list 2>/dev/null | grep -q '"state": "ok"' && break
    sleep 1
  done
  settle "$window"
  shot windows-linked
  has_colours "$shots/windows-linked.png"
  windows "$programs/jf.exe" check "Practice files (SFTP)" >"$work/check" 2>&1 || fail "jf check: $(cat "$work/check")"
  grep -q 'Account: practice@127.0.0.1' "$work/check" || fail "jf check: $(cat "$work/check")"
  passed "linked through the window: $shots/windows-linked.png; jf.exe checks the same connection"

  # The key that everything is sealed under lies in the credential store, and
  # the password in no file.
  registered 'HKCU\Software\Wine\Credential Manager\Generic: Jackfield:data key' Password REG_BINARY
  windows "$programs/jf.exe" new sftp "Practice canary" --set host=127.0.0.1 --set user=practice --secret password=- <<<practice-only-canary >/dev/null || fail "jf new"
  ! grep -rql practice-only-canary "$prefix/drive_c/users/$USER/AppData" "$prefix/user.reg" || fail "a password in the clear"
  passed "the key is in the credential store, no password in any file"

  windows "$dist/jackfield-$number-windows-amd64-setup.exe" /S || status=$?
  [ $status = 4 ] || fail "installing over a running program: $status"
  passed "the installer leaves a running program alone (exit code 4)"
  close_window "$window"
  for _ in $(seq 40); do ls -d "$prefix/drive_c/users/$USER/Temp"/jackfield-practice-* >/dev/null 2>&1 || return 0; sleep 0.25; done
  echo "   NOTE: closed, it leaves $(ls -d "$prefix/drive_c/users/$USER/Temp"/jackfield-practice-*) behind"
}

# connections N: waits until at least that many are saved.
connections() {
  local n=0
  for _ in $(seq 60); do
    n=$(ls "$roaming/Jackfield/connections" 2>/dev/null | grep -c 'json$' || :)
    [ "$n" -lt "$1" ] || return 0
    sleep 1
  done
  shot windows-failed
  fail "the practice services never came: $shots/windows-failed.png"
}

by_msi() {
  windows msiexec /i "$(windows winepath -w "$1" | tr -d '\r')" /qn || fail "the .msi"
  [ -f "$2/jackfield.exe" ] || fail "the .msi installs nothing at $2"
  registered 'HKCU\Software\Classes\.jackfield' '(Default)' Jackfield.Connections
  windows "$2/jf.exe" --help >/dev/null || fail "jf.exe of the .msi"
  windows msiexec /x "$(windows winepath -w "$1" | tr -d '\r')" /qn || fail "removing the .msi"
  [ ! -e "$2/jackfield.exe" ] || fail "the .msi leaves its program behind"
  passed "the .msi installs and uninstalls"
}

windows() { wine "$@"; }

# registered KEY VALUE TEXT: what the value of the key must hold.
registered() {
  windows reg query "$1" >"$work/said" 2>&1 || fail "$1: $(cat "$work/said")"
  grep -F "    $2 " "$work/said" | grep -qF "$3" || fail "$1 $2 is not $3: $(cat "$work/said")"
}

fresh_prefix() {
  prefix=$work/wine
  USER=${USER:-$(id -un)}
  export USER WINEPREFIX=$prefix WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=;bcryptprimitives=n"
  export LIBGL_ALWAYS_SOFTWARE=1 XDG_RUNTIME_DIR=$work/run HOME=$work/winehome
  mkdir -p -m 700 "$XDG_RUNTIME_DIR" "$HOME"
  wine wineboot -i >/dev/null 2>&1
  wineserver -w
  x86_64-w64-mingw32-gcc -shared -O2 -o "$prefix/drive_c/windows/system32/bcryptprimitives.dll" .ci/packaging/test/prng.c -ladvapi32
}

# has_resources PROGRAM: icons, version and manifest are inside.
has_resources() {
  local kinds
  kinds=$(wrestool -l "$1" 2>/dev/null | grep -oE 'type=[0-9]+' | sort -u | tr '\n' ' ')
  [ "$kinds" = "type=14 type=16 type=24 type=3 " ] || fail "$1 has the resources $kinds"
  wrestool -x -t 24 --raw "$1" >"$work/manifest"
  grep -q longPathAware "$work/manifest" || fail "$1 has no manifest"
  wrestool -x -t 16 --raw "$1" | iconv -f UTF-16LE -t UTF-8 -c | tr -d '\0' | grep -aq "ProductVersion" || fail "$1 has no version"
}
