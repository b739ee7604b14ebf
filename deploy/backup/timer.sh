#!/bin/sh
# The compose service `backup`: a copy whenever the last good one is BACKUP_INTERVAL_MINUTES old, for ever. What happened is a
# line here; the first failure in a row is also a WARNING in the health log, and the first copy after it an INFO. The
# container's health check looks at /tmp/last_good, whose time is that of the last good copy.
set -u
: "${BACKUP_INTERVAL_MINUTES:=60}"
here=$(dirname "$0")
# shellcheck source=deploy/backup/steps.sh
. "$here/steps.sh"
whole_number BACKUP_INTERVAL_MINUTES "$BACKUP_INTERVAL_MINUTES"
retry_minutes=$((BACKUP_INTERVAL_MINUTES < 5 ? BACKUP_INTERVAL_MINUTES : 5))
PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
export PGPASSWORD BACKUP_DATABASE="$PGDATABASE"
trap 'kill $! 2>/dev/null; exit 0' INT TERM

say() {
    echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*"
}
record() { # type, message: a health event, where the database can be reached
    echo "INSERT INTO system_health_logs (event_type, message) VALUES (:'type', :'message');" |
        psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=type="$1" --set=message="$2" --file=- 2>&1 || true
}
pause() { # minutes; in the background, so that a signal ends it at once
    sleep "$(($1 * 60))" &
    wait $!
}
newest() {
    find "$BACKUP_FOLDER" -maxdepth 1 -name "$PGDATABASE-????????T??????Z.dump" 2>/dev/null | sort | tail -n 1
}

last=$(newest)
[ -z "$last" ] || touch -r "$last" /tmp/last_good
if [ -n "$(find /tmp/last_good -mmin "-$BACKUP_INTERVAL_MINUTES" 2>/dev/null)" ]; then
    age=$((($(date +%s) - $(stat -c %Y /tmp/last_good)) / 60))
    say "The last copy is $age minutes old: $last"
    pause $((BACKUP_INTERVAL_MINUTES - age))
fi
failing=
while :; do
    timeout 3600 sh "$here/here.sh" backup >/tmp/said 2>&1 &
    if wait $!; then
        say "$(cat /tmp/said)"
        touch /tmp/last_good
        [ -z "$failing" ] || record INFO 'Backups work again'
        failing=
        pause "$BACKUP_INTERVAL_MINUTES"
    else
        reason=$(tail -n 1 /tmp/said)
        say "${reason:-The backup took longer than an hour and was ended.}"
        last=$(newest)
        [ -n "$failing" ] || record WARNING "${reason:-The backup took longer than an hour.} The last good copy: ${last:-none}"
        failing=yes
        pause "$retry_minutes"
    fi
done
