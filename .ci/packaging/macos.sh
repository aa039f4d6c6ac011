# The universal jf and the bundle without its window; sourced by .ci/package.
# The window needs Apple's SDK: packaging/mac.sh finishes the bundle on a Mac.

build_macos() {
  local cpu
  echo "macOS, universal jf"
  mkdir -p "$work/macos"
  for cpu in amd64 arm64; do
    GOOS=darwin GOARCH=$cpu CGO_ENABLED=0 build "$work/macos/jf-$cpu" ./cmd/jf
  done
  go run "$here/lipo.go" "$work/macos/jf" "$work/macos/jf-amd64" "$work/macos/jf-arm64"
  programs+=("darwin-amd64/jf=$work/macos/jf-amd64" "darwin-arm64/jf=$work/macos/jf-arm64")
}

pack_macos() {
  local jf=$work/mac-jf/jackfield-$number-macos-jf unfinished=$work/mac-bundle/jackfield-$number-macos-bundle
  mkdir -p "$jf" "$unfinished"
  cp "$work/macos/jf" README.md LICENSE "$work/THIRD-PARTY.txt" "$jf/"
  tarball "$out/jackfield-$number-macos-jf.tar.gz" "$work/mac-jf"
  bundle "$unfinished/Jackfield.app"
  tarball "$out/jackfield-$number-macos-bundle.tar.gz" "$work/mac-bundle"
}

# bundle APP: everything of Jackfield.app but the window itself.
bundle() {
  mkdir -p "$1/Contents/MacOS" "$1/Contents/Resources"
  filled "$here/macos/Info.plist" >"$1/Contents/Info.plist"
  printf 'APPL????' >"$1/Contents/PkgInfo"
  cp "$work/icons/jackfield.icns" "$work/icons/document.icns" LICENSE "$work/THIRD-PARTY.txt" "$1/Contents/Resources/"
  cp "$work/macos/jf" "$1/Contents/MacOS/jf"
}
