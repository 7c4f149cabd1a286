#!/usr/bin/env bash
# The step of action.yml: runs a verb with its reports, and tells GitHub of them. What it is given is in UNDERSTUDY_ACTION_*; the
# exit code goes to the outputs, as the upload of SARIF comes after. Runs in bash 3.2 too, as macOS has it.
set -euo pipefail

verb=$UNDERSTUDY_ACTION_VERB
reports=${UNDERSTUDY_ACTION_REPORTS:-understudy-reports}
here=$(cd "$(dirname "$0")" && pwd)

# stop MESSAGE: wrong usage.
stop() {
  echo "::error title=understudy::$1"
  echo 'exit-code=2' >>"$GITHUB_OUTPUT"
  exit 0
}

case $verb in
check | conduct | rehearse | replay | mutate | drill | webhook-check) ;;
*) stop "verb is \"${verb//[^a-zA-Z0-9 ._-]/?}\"; expected check, conduct, rehearse, replay, mutate, drill or webhook-check" ;;
esac

# Words as a shell splits them, by quotes and blanks; nothing in them is expanded or run.
words=()
split=$(mktemp)
trap 'rm -f "$split"' EXIT
printf '%s' "${UNDERSTUDY_ACTION_ARGS:-}" | xargs printf '%s\0' >"$split" 2>/dev/null || stop 'args has a quote that is not closed'
while IFS= read -r -d '' word; do
  if [ -n "$word" ]; then words+=("$word"); fi
done <"$split"

command=()
if [ -n "${UNDERSTUDY_ACTION_COMMAND:-}" ]; then
  read -r -a command <<<"$UNDERSTUDY_ACTION_COMMAND"
elif [ -x node_modules/.bin/understudy ]; then
  command=(node_modules/.bin/understudy)
else
  command=(npx --yes "understudy-mock@${UNDERSTUDY_ACTION_VERSION:-latest}")
fi

# A drill is a verb below its own.
topic=("$verb")
if [ "$verb" = drill ] && [ "${#words[@]}" -gt 0 ]; then topic+=("${words[0]}"); fi
help=$("${command[@]}" "${topic[@]}" --help 2>/dev/null) || stop "${command[*]} ${topic[*]} --help failed; is there such a verb, and is it installed?"
has() { grep -q "^  $1  " <<<"$help"; }

mkdir -p "$reports"
options=(--reporter pretty)
for reporter in json=report.json markdown=report.md junit=report.junit.xml ctrf=report.ctrf.json sarif=report.sarif; do
  rm -f "$reports/${reporter#*=}"
  if has "${reporter%%=*}"; then options+=(--reporter "${reporter%%=*}=$reports/${reporter#*=}"); fi
done

# What stands behind -- is a program's.
before=()
after=()
for word in ${words[@]+"${words[@]}"}; do
  if [ "${#after[@]}" -gt 0 ] || [ "$word" = -- ]; then after+=("$word"); else before+=("$word"); fi
done

# What a server or a program said is printed too: none of it is a command to GitHub.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
code=0
"${command[@]}" "$verb" ${before[@]+"${before[@]}"} "${options[@]}" ${after[@]+"${after[@]}"} || code=$?
echo
echo "::$token::"

if [ "${UNDERSTUDY_ACTION_SUMMARY:-true}" = true ] && [ -s "$reports/report.md" ]; then
  cat "$reports/report.md" >>"$GITHUB_STEP_SUMMARY"
fi
if [ "${UNDERSTUDY_ACTION_ANNOTATIONS:-true}" = true ]; then
  if [ -s "$reports/report.ctrf.json" ]; then
    node "$here/annotate.mjs" "$reports/report.ctrf.json"
  elif [ "$code" -ne 0 ]; then
    echo "::error title=understudy $verb::it ended with exit code $code and no report; its output says why"
  fi
fi
sarif=
if [ -s "$reports/report.sarif" ]; then sarif=$PWD/$reports/report.sarif; fi
{
  echo "exit-code=$code"
  echo "reports=$reports"
  echo "sarif=$sarif"
  echo "category=${UNDERSTUDY_ACTION_CATEGORY:-understudy-$verb}"
} >>"$GITHUB_OUTPUT"
