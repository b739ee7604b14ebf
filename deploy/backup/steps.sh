# shellcheck shell=sh disable=SC2154
# The steps of a backup and of a restore, for those that source this file (POSIX sh). They say before
#     pg NAME ARGUMENT...    how a program of PostgreSQL is run on the database that is meant; it gets this one's input
#     here                   the folder of this file
# Each step ends with one line, or with one line on standard
# error and status 1.
: "${BACKUP_FOLDER:=backups}" "${BACKUP_KEEP:=48}" "${BACKUP_KEEP_DAYS:=30}"
umask 077
export LC_ALL=C # programs' messages are looked at below

fail() {
    echo "$*" >&2
    exit 1
}

whole_number() { # variable, value
    case $2 in '' | *[!0-9]* | 0*) fail "$1 must be a whole number from 1." ;; esac
}

first_error() { # what programs said, as one line without their names
    reason=$(sed -n '/[Ee][Rr][Rr][Oo][Rr]: */{s/.*\(error\|ERROR\): *//p;q;}' "$1")
    [ -n "$reason" ] || reason=$(sed -n '/./{s/.*: //p;q;}' "$1")
    printf '%s' "${reason:-no reason given}"
}

size_of() { # a file's size, for people
    wc -c <"$1" | awk '{ split("B kB MB GB TB", unit); size = $1; i = 1; while (size >= 1000 && i < 5) { size /= 1000; i++ }
        printf (i == 1 ? "%d %s" : "%.1f %s"), size, unit[i] }'
}

our_names() { # $tables and $functions: what is ours
    tables=$(sed -n 's/^CREATE TABLE \([a-z_.]*\) .*/\1/p' "$here/../../db/schema.sql" | tr '\n' ' ')
    functions=$(sed -n 's/^CREATE FUNCTION \([a-z_]*\)(.*/\1/p' "$here/../../db/schema.sql" | tr '\n' ' ')
    [ -n "$tables" ] || fail "db/schema.sql is missing."
}

took() { # since the second $1
    seconds=$(($(date +%s) - $1))
    if [ "$seconds" = 0 ]; then echo 'less than 1 s'; else echo "$seconds s"; fi
}

make_scratch() { # $scratch: a folder for what is only needed now; $partial: a copy that is not whole yet
    partial=
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch" ${partial:+"$partial"}' EXIT
    trap 'exit 143' HUP INT TERM
}

# Reads a copy from its first to its last byte, as a restore would, and prints how many requests and customers it holds.
# `pg_restore --list` alone reads only the head: a truncated file passes it.
read_whole() {
    [ "$(head -c 5 "$1")" = PGDMP ] || fail "$1 is no copy of a database (pg_dump's custom format)."
    pg pg_restore --list <"$1" >"$scratch/list" 2>"$scratch/errors" ||
        fail "$1 cannot be read: $(first_error "$scratch/errors")"
    grep -q ' TABLE DATA public provisioning_requests ' "$scratch/list" || fail "$1 is a copy of another database, not of ours."
    # The last line is there only where all of it could be read.
    counts=$({ pg pg_restore --file=- <"$1" 2>"$scratch/errors" && echo '-- whole'; } | awk '
        !table && /^COPY .* FROM stdin;$/ { table = $2; next }
        table && $0 == "\\." { table = ""; next }
        table { rows[table]++ }
        END { if ($0 == "-- whole") printf "%d requests and %d customers", rows["public.provisioning_requests"],
              rows["public.tripwire_users"] }')
    [ -n "$counts" ] || fail "$1 is not whole: $(first_error "$scratch/errors")"
    printf '%s' "$counts"
}

# One copy of the database, named $1, into BACKUP_FOLDER. It has its name only once it is whole, checked and on the disk.
back_up() {
    whole_number BACKUP_KEEP "$BACKUP_KEEP"
    whole_number BACKUP_KEEP_DAYS "$BACKUP_KEEP_DAYS"
    database=$(printf '%s' "$1" | tr -c 'A-Za-z0-9_-' '_')
    began=$(date +%s)
    make_scratch
    mkdir -p "$BACKUP_FOLDER" 2>"$scratch/errors" || fail "The backup failed: $(first_error "$scratch/errors")"
    partial=$(mktemp "$BACKUP_FOLDER/.partial.XXXXXX" 2>"$scratch/errors") ||
        fail "The backup failed: $(first_error "$scratch/errors")"
    # auth.users belongs to us, or to Supabase, which keeps its own copies of it.
    our_names
    pg psql --no-psqlrc --quiet --tuples-only --no-align --set=tables="$tables" --file=- \
        <"$here/facts.sql" >"$scratch/facts" 2>"$scratch/errors" || fail "The backup failed: $(first_error "$scratch/errors")"
    grep -q '^tables are ours$' "$scratch/facts" || fail "The backup failed: the database $database holds no tables of ours."
    set -- --schema=public
    ! grep -q '^auth is ours$' "$scratch/facts" || set -- "$@" --schema=auth
    ! grep -q '^has pg_trgm$' "$scratch/facts" || set -- "$@" --extension=pg_trgm
    sed -n 's/^without //p' "$scratch/facts" >"$scratch/without"
    while IFS= read -r table; do
        set -- "$@" --exclude-table="$table"
    done <"$scratch/without"
    grep -q '^auth is ours$' "$scratch/facts" || echo auth.users >>"$scratch/without"
    without=
    [ ! -s "$scratch/without" ] || without=" Not ours, and not in it: $(paste -s -d ' ' "$scratch/without")."
    # One transaction's snapshot, whatever is written meanwhile. It waits for no lock longer than that: a migration goes first.
    # Through a pipe: where its output is a file itself, pg_dump 18 writes its list twice, and a cut end is not noticed. A
    # pipe has the status of its last command alone, hence the file `failed`.
    {
        pg pg_dump --format=custom "$@" --no-comments --lock-wait-timeout=30s </dev/null 2>"$scratch/errors" ||
            echo failed >"$scratch/failed"
    } | cat 2>"$scratch/cat_errors" >"$partial" || fail "The backup failed: $(first_error "$scratch/cat_errors")"
    [ ! -e "$scratch/failed" ] || fail "The backup failed: $(first_error "$scratch/errors")"
    counts=$(read_whole "$partial") || exit 1
    sync "$partial" 2>"$scratch/errors" || fail "The backup failed: $(first_error "$scratch/errors")"
    name="$BACKUP_FOLDER/$database-$(date -u +%Y%m%dT%H%M%SZ).dump"
    # `ln` never replaces: of two copies in one second the later waits for the next.
    until ln "$partial" "$name" 2>"$scratch/errors"; do
        [ -e "$name" ] || fail "The backup failed: $(first_error "$scratch/errors")"
        sleep 1
        name="$BACKUP_FOLDER/$database-$(date -u +%Y%m%dT%H%M%SZ).dump"
    done
    rm -f "$partial"
    sync "$BACKUP_FOLDER"
    removed=$(prune "$database") || exit 1
    echo "$name: $(size_of "$name") in $(took "$began"), with $counts, read back whole; $removed older removed.$without"
}

# Removes what is older than BACKUP_KEEP_DAYS days; of the others the newest BACKUP_KEEP stay, and the last of each day, so
# that many copies of one day (deploys) never push out all of last week's. The newest copy always stays. Prints how many went.
prune() {
    find "$BACKUP_FOLDER" -maxdepth 1 -name '.partial.*' -mmin +1440 -exec rm -f {} +
    find "$BACKUP_FOLDER" -maxdepth 1 -name "$1-????????T??????Z.dump" | sort -r >"$scratch/copies"
    find "$BACKUP_FOLDER" -maxdepth 1 -name "$1-????????T??????Z.dump" -mmin "+$((BACKUP_KEEP_DAYS * 1440))" >"$scratch/old"
    awk -v keep="$BACKUP_KEEP" -v old="$scratch/old" '
        BEGIN { while ((getline line < old) > 0) is_old[line] = 1 }
        { day = substr($0, length($0) - 20, 8); last_of_day = !(day in seen); seen[day] = 1 }
        NR > 1 && ($0 in is_old || (NR > keep && !last_of_day))' "$scratch/copies" >"$scratch/over"
    while IFS= read -r copy; do
        rm -f "$copy" || fail "The copy was made, but an old one cannot be removed: $copy"
    done <"$scratch/over"
    wc -l <"$scratch/over" | tr -d ' '
}

# The copy $1 into the database, which holds no data: all of it in one transaction, or nothing.
restore() {
    [ -n "$1" ] || fail "Which copy? make restore FILE=$BACKUP_FOLDER/NAME.dump"
    { [ -f "$1" ] && [ -r "$1" ]; } || fail "$1 cannot be read: there is no such file, or it is not yours."
    began=$(date +%s)
    make_scratch
    counts=$(read_whole "$1") || exit 1
    holds_auth=false
    ! grep -q ' TABLE auth users ' "$scratch/list" || holds_auth=true
    holds_trgm=false
    ! grep -q ' EXTENSION - pg_trgm' "$scratch/list" || holds_trgm=true
    our_names
    # Neither schemas and extensions, which are there or made by make_room.sql, nor functions of others in a shared database.
    awk -v ours=" $functions" -v shared="$([ $holds_auth = true ] || echo yes)" '
        $4 == "SCHEMA" || $4 == "EXTENSION" { next }
        shared && $4 ~ /^(FUNCTION|PROCEDURE|AGGREGATE|TYPE|DOMAIN)$/ { split($6, name, "(")
            if ($4 != "FUNCTION" || !index(ours, " " name[1] " ")) next }
        { print }' "$scratch/list" >"$scratch/use"
    use=/tmp/restore.$$.list # beside pg_restore, which may run in another place
    pg sh -c "umask 077; cat >$use" <"$scratch/use" 2>"$scratch/errors" ||
        fail "Nothing was restored: $(first_error "$scratch/errors")"
    # COMMIT stands in the last file, which is sent only where pg_restore came to its end: anything else is rolled back.
    # A server older than pg_restore does not know transaction_timeout.
    {
        cat "$here/make_room.sql"
        {
            pg pg_restore --use-list="$use" --no-owner --no-privileges --no-comments --file=- <"$1" \
                2>"$scratch/errors" && cat "$here/close.sql"
        } | sed '1,40{/^SET transaction_timeout = 0;$/d;}'
    } | pg psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse \
        --set=tables="$tables" --set=functions="$functions" --set=holds_auth="$holds_auth" --set=holds_trgm="$holds_trgm" \
        --file=- >"$scratch/said" 2>"$scratch/psql_errors" ||
        fail "Nothing was restored: $(first_error "$scratch/psql_errors")"
    pg rm -f "$use"
    unfinished=$(sed -n 's/^restored: //p' "$scratch/said")
    [ -n "$unfinished" ] || fail "Nothing was restored: $(first_error "$scratch/errors")"
    echo "$1: restored in $(took "$began"), with $counts; $unfinished."
}
