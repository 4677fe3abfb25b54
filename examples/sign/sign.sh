#!/bin/sh
# Signs a URL path of the service: SIGNING_KEY_ID=... SIGNING_SECRET=... sh sign.sh PATH
#
# PATH is the path and query exactly as they will be sent, e.g. /thumbnail/size=56,exp=4102444800/https://example.com/a.jpg
# openssl takes the key as an argument, which other users of the machine can see while it runs.
set -eu
path=$1
signature=$(printf %s "$path" | openssl dgst -sha256 -mac HMAC -macopt "key:$SIGNING_SECRET" -binary |
  openssl base64 -A | tr '+/' '-_' | tr -d '=')
options=$(printf %s "$path" | sed -nE 's#^(/[^/]+/[^/?]+).*#\1#p')
[ "$options" ] || { echo "Expected a path like /thumbnail/<options>/<source>, but got $path." >&2; exit 1; }
printf '%s,sig=%s.%s%s\n' "$options" "$SIGNING_KEY_ID" "$signature" "${path#"$options"}"
