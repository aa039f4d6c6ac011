#!/usr/bin/env bash
# On a Mac, in the root of the source: builds Jackfield.app for both processors,
# signs it, and makes the disk image, in dist.
#
#   SIGN_ID         the identity in the keychain ("Developer ID Application: …");
#                   without it the bundle is signed ad hoc, for this Mac only
#   NOTARY_PROFILE  a profile kept with "xcrun notarytool store-credentials";
#                   without it nothing is sent to Apple
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(uname -s)" = Darwin ] || { echo "mac.sh runs on a Mac: the window needs Apple's SDK." >&2; exit 1; }
xcode-select -p >/dev/null 2>&1 || { echo "Apple's command line tools are needed: xcode-select --install" >&2; exit 1; }
# shellcheck source=.ci/packaging/common.sh
. .ci/packaging/common.sh
. .ci/packaging/macos.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
programs=()
go run "$here/icons.go" Icon.png "$work/icons"
build_macos
for cpu in amd64 arm64; do
  word=$cpu
  [ "$cpu" = arm64 ] || word=x86_64
  CGO_ENABLED=1 GOARCH=$cpu CGO_CFLAGS="-arch $word -mmacosx-version-min=12.0" CGO_LDFLAGS="-arch $word -mmacosx-version-min=12.0" \
    build "$work/macos/jackfield-$cpu" ./cmd/jackfield
  programs+=("darwin-$cpu/jackfield=$work/macos/jackfield-$cpu")
done
go run "$here/lipo.go" "$work/macos/jackfield" "$work/macos/jackfield-amd64" "$work/macos/jackfield-arm64"
go run "$here/sbom.go" -version "$version" -epoch "$SOURCE_DATE_EPOCH" -bom "$out/jackfield-$number-macos.cdx.json" -licences "$work/THIRD-PARTY.txt" "${programs[@]}"

app=$work/image/Jackfield.app
bundle "$app"
cp "$work/macos/jackfield" "$app/Contents/MacOS/jackfield"
plutil -lint "$app/Contents/Info.plist"
for part in "$app/Contents/MacOS/jf" "$app"; do
  if [ -n "${SIGN_ID:-}" ]; then
    codesign --force --options runtime --timestamp --sign "$SIGN_ID" "$part"
  else
    codesign --force --sign - "$part"
  fi
done
codesign --verify --strict --deep "$app"

ln -s /Applications "$work/image/Applications"
image=$out/jackfield-$number-macos.dmg
hdiutil create -volname "Jackfield $number" -srcfolder "$work/image" -fs HFS+ -format UDZO -ov "$image"
if [ -n "${SIGN_ID:-}" ]; then codesign --timestamp --sign "$SIGN_ID" "$image"; fi
if [ -n "${NOTARY_PROFILE:-}" ]; then
  xcrun notarytool submit "$image" --keychain-profile "$NOTARY_PROFILE" --wait
  xcrun stapler staple "$image"
fi
(cd "$out" && shasum -a 256 "$(basename "$image")")
