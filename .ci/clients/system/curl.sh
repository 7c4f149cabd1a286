# To a file: of /dev/null, curl 7.88 says that it can't be truncated, and tries no more.
# URL, METHOD, KEY, SETTINGS and TIMEOUT (ms) are in the environment.
arguments=(--silent --show-error --output "$(mktemp)" --write-out '%{http_code}' --header "X-Api-Key: $KEY" --request "$METHOD")
[ "$METHOD" = POST ] && arguments+=(--json '{"video_url":"https://example.com/cat.mp4#t=5"}')
[ -n "$TIMEOUT" ] && arguments+=(--max-time "$((TIMEOUT / 1000))")
if [ "$SETTINGS" = careful ]; then
  [ "$METHOD" = POST ] && arguments+=(--header "Idempotency-Key: $RANDOM$RANDOM$RANDOM")
  # <careful>
  arguments+=(--retry 4 --retry-all-errors --retry-max-time 60)
  # </careful>
else
  arguments+=(--retry 3)
fi
status=$(curl "${arguments[@]}" "$URL" 2>/tmp/curl.$$)
code=$?
if [ "$code" = 0 ]; then echo "answer $status"; else echo "error exit $code $(tail -1 /tmp/curl.$$)"; fi
rm -f /tmp/curl.$$
