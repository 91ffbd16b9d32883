#!/bin/bash
# Makes the certificates that no Rust crate makes: version 1, without alternative names, signed by
# outdated algorithms, and keys encrypted in two ways. Run once; the files are checked in and good
# for a hundred years. Needs the openssl command of OpenSSL 3.
set -euo pipefail
cd "$(dirname "$0")"
rm -f ./*.crt ./*.key ./*.crl
days=36500

# ca.crt: an authority; ca.key stays here, it signs nothing else.
openssl req -new -x509 -newkey rsa:2048 -nodes -sha256 -days $days -keyout ca.key -out ca.crt \
  -subj "/CN=Test authority" -addext "keyUsage=critical,keyCertSign,cRLSign"

# leaf NAME SUBJECT KEY_OPTIONS [x509 OPTIONS]: a certificate signed by the authority.
leaf() {
  local name=$1 subject=$2 key=$3
  shift 3
  # shellcheck disable=SC2086
  openssl req -new -newkey $key -nodes -keyout "$name.key" -out leaf.csr -subj "$subject"
  openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -days $days -out "$name.crt" "$@"
  rm leaf.csr
}

# Version 1, as in PostgreSQL's manual, section "Creating Certificates".
leaf v1 /CN=localhost rsa:2048 -sha256
leaf v1-ec /CN=localhost "ec -pkeyopt ec_paramgen_curve:prime256v1" -sha256
leaf v1-sha1 /CN=localhost rsa:2048 -sha1

# Lists of revoked certificates: one without entries, one with v1.crt.
cat > ca.conf <<'END'
[ca]
default_ca = authority
[authority]
database = database
crlnumber = number
default_md = sha256
crl_extensions = extensions
[extensions]
authorityKeyIdentifier = keyid
END
: > database
echo 01 > number
list() { openssl ca -config ca.conf -keyfile ca.key -cert ca.crt "$@"; }
list -gencrl -crldays $days -out none-revoked.crl
list -revoke v1.crt
list -gencrl -crldays $days -out v1-revoked.crl
rm -f ca.conf database* number*

# Version 3 with the common name alone.
printf 'basicConstraints=CA:FALSE\n' > extensions
leaf common-name /CN=localhost rsa:2048 -sha256 -extfile extensions
leaf sha1 /CN=localhost rsa:2048 -sha1 -extfile extensions
leaf weak /CN=localhost rsa:1024 -sha256 -extfile extensions
leaf pss-sha384 /CN=localhost rsa:2048 -sha384 -extfile extensions \
  -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
leaf pss-sha1 /CN=localhost rsa:2048 -sha1 -extfile extensions \
  -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
rm -f extensions

# Self-signed, with a key whose signatures have no hash of their own.
openssl req -new -x509 -newkey ed25519 -nodes -days $days -keyout ed25519.key -out ed25519.crt \
  -subj /CN=localhost

# Keys with the password "open sesame"; encrypted.crt is the first one's certificate.
leaf encrypted /CN=postgres rsa:2048 -sha256
openssl rsa -in encrypted.key -traditional -aes256 -passout "pass:open sesame" -out legacy.key
openssl pkcs8 -topk8 -v2 aes-256-cbc -in encrypted.key -passout "pass:open sesame" -out new.key
mv new.key encrypted.key
rm -f *sha1.key pss-*.key ca.srl
chmod 644 ./*
chmod 755 make.sh
