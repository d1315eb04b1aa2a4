#!/usr/bin/env bash
#
# Saves a folder to a remote machine.
# Usage: backup.sh FOLDER HOST

set -euo pipefail

readonly LIMIT=5
: "${HOST:=localhost}"

# Prints a message with the time of day.
# Arguments: the words of the message
log() {
  printf '%s %s\n' "$(date +%T)" "$*" >&2
}

# Tries a command up to LIMIT times,
# waiting longer each time.
function retry {
  local tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt "$LIMIT" ] || return 1
    sleep "$tries"
  done
}

function net::send_file() (
  inner() { cat "$1"; }
  inner "$1" | ssh "$HOST" 'cat > "$2"'
)

main() {
  log "saving $1"
  retry net::send_file "$1" "$2"
}

main "$@"
