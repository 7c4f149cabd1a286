#!/bin/sh
# Upload, create, poll, download with curl, which obeys Retry-After by itself: journey.sh URL KEY CLIP OUTPUT
set -eu
url=$1 key=$2 clip=$3 output=$4
call() { curl --silent --show-error --fail --retry 3 -H "X-Api-Key: $key" "$@"; }
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

video=$(call -F "file=@$clip" "$url/v1/uploads" | field video_url)
job=$(call -H 'Content-Type: application/json' -H "Idempotency-Key: sh-$$" -d "{\"video_url\":\"$video\"}" "$url/v1/jobs" | field id)
while status=$(call "$url/v1/jobs/$job" | field status); do
  case $status in
  completed) break ;;
  failed) exit 1 ;;
  esac
  sleep 2
done
call -o "$output" "$(call "$url/api/download/$job" | field download_url)"
