# curl: URL, METHOD, KEY, TIMEOUT (ms), and BODY, TYPE and WARM or nothing, are in the environment.
folder=$(mktemp -d)
common=(--silent --show-error --max-time "$((TIMEOUT / 1000))" --header "X-Api-Key: $KEY")
arguments=("${common[@]}" --output "$folder/body" --write-out '%{http_code}' --request "$METHOD")
[ -n "$BODY" ] && arguments+=(--data-binary "@$BODY" --header "Content-Type: $TYPE")
# In one process, so that the connection is kept.
[ -n "$WARM" ] && first=("${common[@]}" --output /dev/null "$WARM" --next)
status=$(curl "${first[@]}" "${arguments[@]}" "$URL" 2>"$folder/error")
code=$?
bytes=$(wc -c <"$folder/body" 2>/dev/null || echo 0)
where=none
[ "$code" = 0 ] || where=call
printf '{"where":"%s","status":%d,"bytes":%d,"value":"object"' "$where" "$((10#${status:-0}))" "$bytes"
[ "$code" = 0 ] || printf ',"error":"exit %d %s"' "$code" "$(tail -1 "$folder/error" | sed 's/^curl: ([0-9]*) //; s/["\\]//g')"
echo '}'
rm -r "$folder"
