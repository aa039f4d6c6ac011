# Signing, with a certificate made for the test; sourced.

test_signing() {
  local dir=$work/signing name setup
  need osslsigncode osslsigncode
  mkdir -p "$dir"
  (
    cd "$dir"
    openssl rand -hex 16 >pass
    openssl req -quiet -x509 -newkey rsa:3072 -nodes -keyout key.pem -out cert.pem -days 30 -subj '/CN=Jackfield test signing' \
      -addext extendedKeyUsage=codeSigning -addext keyUsage=digitalSignature -addext basicConstraints=CA:FALSE 2>/dev/null ||
      openssl req -x509 -newkey rsa:3072 -nodes -keyout key.pem -out cert.pem -days 30 -subj '/CN=Jackfield test signing' \
        -addext extendedKeyUsage=codeSigning -addext keyUsage=digitalSignature 2>/dev/null
    openssl pkcs12 -export -inkey key.pem -in cert.pem -passout file:pass -out sign.pfx
  )
  unzip -q "$(ls "$dist"/jackfield-*-windows-amd64.zip)" -d "$dir"
  setup=$(ls "$dist"/jackfield-*-setup.exe)
  cp "$setup" "$dir/setup.exe"
  cp "$(ls "$dist"/jackfield-*-windows-amd64.msi)" "$dir/setup.msi"
  for name in Jackfield/jackfield.exe Jackfield/jf.exe setup.exe setup.msi; do
    SIGN_PFX=$dir/sign.pfx SIGN_PASS_FILE=$dir/pass bash .ci/packaging/sign "$dir/$name"
    osslsigncode verify -CAfile "$dir/cert.pem" -in "$dir/$name" >"$dir/said" 2>&1 || { cat "$dir/said"; fail "$name: the signature is not good"; }
  done
  # One byte of the program changed after signing is seen.
  printf 'X' | dd of="$dir/Jackfield/jf.exe" bs=1 seek=100000 conv=notrunc status=none
  ! osslsigncode verify -CAfile "$dir/cert.pem" -in "$dir/Jackfield/jf.exe" >/dev/null 2>&1 || fail "a changed program still verifies"
  # A wrong password leaves the file as it was.
  echo wrong >"$dir/bad"
  ! SIGN_PFX=$dir/sign.pfx SIGN_PASS_FILE=$dir/bad bash .ci/packaging/sign "$dir/setup.exe" >/dev/null 2>&1 || fail "signed with a wrong password"
  osslsigncode verify -CAfile "$dir/cert.pem" -in "$dir/setup.exe" >/dev/null 2>&1 || fail "the installer changed"
  passed "programs, installer and .msi are signed, verified, and a change is seen"
}
