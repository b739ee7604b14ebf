#!/bin/sh
# `make backup` and `make restore FILE=...`: finds out which database is meant, and hands on. That of DATABASE_URL where it
# is given; else that of `make run` or of the compose stack, whichever this clone has. Where it has both, STACK says it.
set -eu
cd "$(dirname "$0")/../.."
command=$1

given() { # whether a variable has a value, in the environment or in .env
    eval "[ -n \"\${$1:-}\" ]" || { [ -f .env ] && grep -q "^$1=." .env; }
}
fail() {
    echo "$*" >&2
    exit 1
}
run() {
    "${MAKE:-make}" --no-print-directory --silent "${VENV:=.venv}/run.stamp"
    exec "$VENV/bin/python" -m deploy.backup "$@"
}

stack=${STACK:-}
if [ -z "$stack" ]; then
    of_run=$([ ! -e .data/postgres/data/PG_VERSION ] || echo yes)
    of_compose=$([ ! -e "${SECRETS_FOLDER:-deploy/compose/secrets}/postgres_password" ] || echo yes)
    if given DATABASE_URL || given DATABASE_URL_FILE; then
        stack=run
    elif [ "$of_run$of_compose" = yesyes ]; then
        fail "Here are a database of \`make run\` and a compose stack. Which one? make $command STACK=run or STACK=compose"
    elif [ "$of_compose" ]; then
        stack=compose
    else
        stack=run
    fi
fi
if [ "$command" = restore ]; then
    [ -n "${FILE:-}" ] || fail "Which copy? make restore FILE=${BACKUP_FOLDER:-backups}/NAME.dump"
    set -- restore "$FILE"
fi
case $stack in
    run) run "$@" ;;
    compose) shift && exec deploy/compose/"$command".sh "$@" ;;
    *) fail "STACK is run or compose." ;;
esac
