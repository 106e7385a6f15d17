# Digests and ciphers over a generated file, signatures that are verified, and the speed command (that it runs, not how fast).
bytes=16777216
[ "$1" = quick ] && bytes=1048576
openssl enc -aes-256-ctr -K 00 -iv 00 -in /dev/zero 2>/dev/null | head -c "$bytes" >data
for digest in md5 sha1 sha256 sha512 sha3-256 blake2b512 blake2s256 sm3; do
  openssl dgst "-$digest" data
done
[ "$1" = quick ] && exit
for digest in md5sum sha1sum sha256sum sha512sum b2sum cksum; do
  "$digest" data
done
head -c 1048576 data >part
for cipher in aes-128-cbc aes-256-cbc aes-128-ctr aes-256-ofb camellia-256-cbc aria-256-cbc chacha20 des-ede3-cbc; do
  openssl enc "-$cipher" -pass pass:umbra -pbkdf2 -iter 1000 -S 0011223344556677 -in part -out part.enc
  openssl enc -d "-$cipher" -pass pass:umbra -pbkdf2 -iter 1000 -S 0011223344556677 -in part.enc -out part.dec
  echo "$cipher $(sha256sum <part.enc) $(cmp part part.dec && echo read back)"
done
# Keys are random: only that what was signed verifies, and what was changed does not.
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
openssl genpkey -algorithm ED25519 -out ed25519.pem
head -c 1000 data >message
sed 's/^/x/' message >changed
for key in rsa ec ed25519; do
  openssl pkey -in "$key.pem" -pubout -out "$key.pub"
  openssl pkeyutl -sign -inkey "$key.pem" -rawin -in message -out "$key.sig"
  echo "$key: $(openssl pkeyutl -verify -pubin -inkey "$key.pub" -rawin -in message -sigfile "$key.sig" 2>/dev/null)"
  echo "$key, changed: $(openssl pkeyutl -verify -pubin -inkey "$key.pub" -rawin -in changed -sigfile "$key.sig" 2>/dev/null)"
done
for algorithm in md5 sha256 aes-128-gcm chacha20-poly1305; do
  openssl speed -seconds 1 -bytes 4096 -evp "$algorithm" >speed.log 2>&1
  echo "speed of $algorithm ends with code $?"
done
for algorithm in rsa2048 ecdsap256 ed25519 ecdhx25519; do
  openssl speed -seconds 1 "$algorithm" >speed.log 2>&1
  echo "speed of $algorithm ends with code $?"
done
