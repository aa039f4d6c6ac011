# The Windows programs, installer, .msi and portable archive; sourced by .ci/package.

build_windows() {
  need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64-posix
  [ -z "${SIGN_PFX:-}" ] || need osslsigncode osslsigncode
  echo "Windows, amd64"
  mkdir -p "$work/windows"
  resources jackfield "Jackfield"
  resources jf "Jackfield in the terminal"
  GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc build "$work/windows/jackfield.exe" ./cmd/jackfield "-H windowsgui"
  GOOS=windows GOARCH=amd64 CGO_ENABLED=0 build "$work/windows/jf.exe" ./cmd/jf
  bash "$here/sign" "$work/windows/jackfield.exe"
  bash "$here/sign" "$work/windows/jf.exe"
  programs+=("windows-amd64/jackfield.exe=$work/windows/jackfield.exe" "windows-amd64/jf.exe=$work/windows/jf.exe")
}

# resources PROGRAM DESCRIPTION: icons, version and manifest, where the build of
# the program finds them.
resources() {
  cp "$work/icons/jackfield.ico" "$work/icons/document.ico" "$here/windows/$1.manifest" "$work/"
  (
    cd "$work"
    sed -e "s|@COMMAS@|$(echo "$number" | sed 's/[^0-9.].*//' | tr . ,),0|g" -e "s|@PROGRAM@|$1|g" -e "s|@DESCRIPTION@|$2|g" "$here/windows/program.rc" >"$1.in"
    filled "$1.in" >"$1.rc"
    x86_64-w64-mingw32-windres --codepage 65001 -O coff -i "$1.rc" -o "source/cmd/$1/resources_windows_amd64.syso"
  )
}

pack_windows() {
  local f name=jackfield-$number-windows-amd64
  for f in README.md LICENSE; do sed 's/$/\r/' "$f" >"$work/windows/${f%.md}.txt"; done
  sed 's/$/\r/' "$work/THIRD-PARTY.txt" >"$work/windows/THIRD-PARTY.txt"
  mkdir -p "$work/zip"
  cp -R "$work/windows" "$work/zip/Jackfield"
  zipped "$out/$name.zip" "$work/zip"
  dated "$work/windows"

  need makensis nsis
  (cd "$work" && makensis -V2 -INPUTCHARSET UTF8 -NOCD "-DNUMBER=$number" "-DSIGN=bash $here/sign" "-DOUT=$out/$name-setup.exe" \
    "-DSIZE=$(du -sk --apparent-size windows | cut -f1)" "$here/windows/setup.nsi")
  bash "$here/sign" "$out/$name-setup.exe"

  need wixl wixl
  (
    cd "$work"
    filled "$here/windows/jackfield.wxs" | sed -e "s|@PRODUCT@|$(guid "product $number")|" -e "s|@PACKAGE@|$(guid "package $version")|" >jackfield.wxs
    wixl -a x64 -o "$out/$name.msi" jackfield.wxs
  )
  bash "$here/sign" "$out/$name.msi"
}

# guid TEXT: one that is always the same for this text, in the form of version 5.
guid() {
  printf 'jackfield %s' "$1" | sha256sum | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-5\3-8\4-\5/'
}
