#!/bin/sh
# Signs images in a registry by their digests, and attaches each image's bill of materials (make sbom), with cosign and the
# key of COSIGN_KEY (a file, or an address of a key service); cosign reads its password from COSIGN_PASSWORD or asks.
set -eu
cd "$(dirname "$0")/../.."
fail() {
    echo "$*" >&2
    exit 1
}
[ $# -gt 0 ] || fail "Which images? make sign IMAGES=\"registry/tripwire-api@sha256:… …\""
[ -n "${COSIGN_KEY:-}" ] || fail "Nothing was signed: no key is given. COSIGN_KEY=cosign.key (made by: cosign generate-key-pair)"
command -v cosign >/dev/null || fail "Nothing was signed: cosign is not installed here."
for image in "$@"; do
    case $image in *@sha256:*) ;; *) fail "Nothing was signed: $image names no digest, and a tag may be moved." ;; esac
    bill=build/sbom/$(echo "$image" | sed -n 's/.*tripwire-\([a-z-]*\)@.*/\1/p').cdx.json
    [ -e "$bill" ] || fail "Nothing was signed: $bill is missing. make sbom"
done
for image in "$@"; do
    bill=build/sbom/$(echo "$image" | sed -n 's/.*tripwire-\([a-z-]*\)@.*/\1/p').cdx.json
    cosign sign --yes --key "$COSIGN_KEY" "$image"
    cosign attest --yes --key "$COSIGN_KEY" --type cyclonedx --predicate "$bill" "$image"
    echo "$image: signed, with $bill"
done
