# wget: URL, METHOD, KEY, TIMEOUT (ms), and BODY, TYPE and WARM or nothing, are in the environment.
folder=$(mktemp -d)
arguments=(--no-verbose --server-response --timeout "$((TIMEOUT / 1000))" --header "X-Api-Key: $KEY")
[ -n "$BODY" ] && arguments+=(--post-file "$BODY" --header "Content-Type: $TYPE")
# In one process, so that the connection is kept; its options are those of both calls, so only a GET can follow a GET.
[ -n "$WARM" ] && [ -z "$BODY" ] && first=("$WARM")
wget "${arguments[@]}" --output-document "$folder/body" "${first[@]}" "$URL" 2>"$folder/said"
code=$?
bytes=$(wc -c <"$folder/body" 2>/dev/null || echo 0)
status=$(grep -o 'HTTP/1.[01] [0-9]*' "$folder/said" | tail -1 | cut -d' ' -f2)
said=$(grep -v '^  \|^$\|URL:' "$folder/said" | tail -1 | sed 's/^[0-9: -]*//; s/["\\]//g')
where=none
[ "$code" = 0 ] || where=call
printf '{"where":"%s","status":%d,"bytes":%d,"value":"object"' "$where" "${status:-0}" "$bytes"
[ "$code" = 0 ] || printf ',"error":"exit %d %s"' "$code" "$said"
echo '}'
rm -r "$folder"
