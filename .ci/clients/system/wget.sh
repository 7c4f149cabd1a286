# wget --tries: URL, METHOD, KEY and TIMEOUT (ms) are in the environment.
arguments=(--no-verbose --output-document /dev/null --tries=3 --header "X-Api-Key: $KEY" --header 'Content-Type: application/json')
[ "$METHOD" = POST ] && arguments+=(--post-data '{"video_url":"https://example.com/cat.mp4#t=5"}')
[ -n "$TIMEOUT" ] && arguments+=(--timeout "$((TIMEOUT / 1000))")
said=$(wget "${arguments[@]}" "$URL" 2>&1)
code=$?
if [ "$code" = 0 ]; then echo 'answer 200'; else echo "error exit $code $(tail -1 <<<"$said")"; fi
