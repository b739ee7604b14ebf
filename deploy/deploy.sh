#!/bin/sh
# `make deploy` and `make rollback`: another version of the running compose stack, without a failed request. Each step
# says what it does and when. Where anything fails the version before stays, or comes back.
#
#   deploy/deploy.sh [--dry-run] [--no-build]     a new version (VERSION=name; else the time and the commit)
#   deploy/deploy.sh --rollback [--dry-run]       back to the version before (VERSION=name: to that one)
#
# The steps: build, back up, migrate, replace one instance after the other, prove, record. An instance of the new version
# meets no traffic until it is healthy: it is started apart from the edge's network and joins it then. The old one is asked
# to stop only after that; it answers what it has begun.
set -eu
cd "$(dirname "$0")/.."
. deploy/compose/settings.sh
. deploy/compose/place_files.sh

SERVICES="api admin-ui worker"
HEALTHY_WITHIN=60  # seconds for an instance to become healthy
LOCK_LIMIT=3600    # seconds after which a deploy that was killed locks out no other
KNOWN_TO_EDGE=2    # seconds in which the edge has noticed a new instance

began=$(date +%s)
say() { printf '[%3d s] %s\n' "$(($(date +%s) - began))" "$*"; }

dry_run='' build=yes rollback=''
for option in "$@"; do
    case $option in
        --dry-run) dry_run=yes ;;
        --no-build) build='' ;;
        --rollback) rollback=yes build='' ;;
        *) fail "Unknown option $option. Known: --dry-run, --no-build, --rollback." ;;
    esac
done

project=${COMPOSE_PROJECT_NAME:-tripwire}
lock=$project-deploy
who="${DEPLOY_BY:-$(id -un)@$(uname -n)}"

edge_network() { # of a service: where the edge finds it
    case $1 in api) echo "${project}_front" ;; admin-ui) echo "${project}_console" ;; esac
}
instances() { docker compose ps --all --quiet "$1"; }
image_of() { docker inspect --format '{{.Config.Image}}' "$1"; }
in_version() { # version, command...: a command in the API's image of that version
    version_of_tool=$1
    shift
    TAG=$version_of_tool docker compose run --rm --no-deps --no-TTY api "$@"
}

[ -n "$(instances api)" ] || fail "Nothing runs here yet: make up"
current=$(image_of "$(instances api | head -n 1)") current=${current##*:} # what runs, whatever TAG says
if [ -n "$rollback" ]; then
    tool=$current
    new=${VERSION:-$(in_version "$tool" python -m tripwire_api.deploy.record before "$current" 2>/dev/null)} || new=''
    [ -n "$new" ] || fail "No version before $current is on record. Name one: make rollback VERSION=name"
else
    commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
    new=${VERSION:-$(date -u +%Y%m%dT%H%M%SZ)-$commit}
    tool=$new
fi
case $new in *[!A-Za-z0-9_.-]* | .* | -*) fail "VERSION may hold letters, digits, dots, dashes and underscores." ;; esac
[ "$new" != "$current" ] || fail "Version $new runs already."
if [ -z "$build" ]; then
    for service in $SERVICES; do
        docker image inspect "tripwire-$service:$new" >/dev/null 2>&1 || fail "There is no image tripwire-$service:$new here."
    done
fi

if [ -n "$dry_run" ]; then
    echo "From version $current to $new, by $who:"
    [ -z "$build" ] || echo "- build tripwire-api, tripwire-admin-ui and tripwire-worker:$new"
    [ -n "$rollback" ] || echo "- back up the database into $(setting BACKUP_FOLDER backups), then apply what is new in db/migrations"
    for service in $SERVICES; do echo "- replace $(instances "$service" | wc -l) of $service, one after the other"; done
    echo "- provision a test customer through the edge, and erase it"
    echo "Where anything fails: back to $current. Nothing was done now."
    exit 0
fi

# One deploy at a time, from whichever machine: a container of this name is there once. Its end is that of the lock.
docker run --detach --rm --name "$lock" --network none --label "by=$who" --entrypoint sleep \
    "$(docker inspect --format '{{.Image}}' "$(instances postgres)")" "$LOCK_LIMIT" >/dev/null 2>&1 ||
    fail "Another deploy is under way, by $(docker inspect --format '{{.Config.Labels.by}}, since {{.State.StartedAt}}' "$lock" 2>/dev/null). \
Where it is none (its machine died): docker rm --force $lock"

replaced='' number='' reason=''
end() { # whatever ended us
    status=$?
    trap - EXIT HUP INT TERM
    if [ "$status" != 0 ]; then
        reason=${reason:-it was interrupted}
        [ -z "$replaced" ] || roll_back
        [ -z "$number" ] || in_version "$tool" python -m tripwire_api.deploy.record finish "$number" "${outcome:-failed}" "$reason" >/dev/null || true
        say "Not deployed: $reason" >&2
    fi
    docker rm --force "$lock" >/dev/null 2>&1 || true
    exit "$status"
}
trap end EXIT
trap 'exit 130' HUP INT TERM
stop() { # the deploy, for this reason
    reason=$*
    exit 1
}

becomes_healthy() { # container
    give_up=$(($(date +%s) + HEALTHY_WITHIN))
    while [ "$(date +%s)" -lt "$give_up" ]; do
        # Health, and how often the engine had to start it again.
        case $(docker inspect --format '{{.State.Health.Status}} {{.RestartCount}} {{.State.Status}}' "$1") in
            'healthy 0 running') return 0 ;;
            unhealthy* | *exited | *dead | *' '[1-9]*) return 1 ;;
        esac
        sleep 0.5
    done
    return 1
}

replace() { # service, version: each instance that is of another one
    for old in $(instances "$1"); do
        [ "$(image_of "$old")" != "tripwire-$1:$2" ] || continue
        before=$(instances "$1")
        TAG=$2 docker compose up --no-start --no-deps --no-recreate --no-build --quiet-pull \
            --scale "$1=$(($(echo "$before" | wc -l) + 1))" "$1" >/dev/null 2>&1 || return 1
        fresh=$(instances "$1" | grep -vxF "$before") || return 1
        network=$(edge_network "$1")
        [ -z "$network" ] || docker network disconnect "$network" "$fresh" || return 1
        docker start "$fresh" >/dev/null || return 1
        if ! becomes_healthy "$fresh"; then
            docker logs --tail 5 "$fresh" >&2 || true
            docker rm --force "$fresh" >/dev/null
            return 1
        fi
        if [ -n "$network" ]; then
            docker network connect --alias "$1" "$network" "$fresh" || return 1
            sleep "$KNOWN_TO_EDGE"
        fi
        docker stop "$old" >/dev/null && docker rm "$old" >/dev/null || return 1
        say "$1: an instance of $2 for one of another version"
    done
}

roll_back() { # what was replaced, in the other order
    say "Back to $current: $reason"
    outcome=rolled_back
    for service in $replaced; do
        replace "$service" "$current" || { outcome=failed; say "$service could not be brought back: docker compose ps" >&2; }
    done
}

say "From version $current to $new"
if [ -n "$build" ]; then
    say "Building the images"
    # shellcheck disable=SC2086 # the names
    TAG=$new docker compose build --quiet $SERVICES || stop "the images could not be built"
fi
place_files
if [ -z "$rollback" ]; then
    say "Backing up"
    deploy/compose/backup.sh || stop "the backup failed; nothing was changed"
    say "Migrating"
    TAG=$new docker compose run --rm --no-deps --no-TTY migrate || stop "the migrations failed; the services were not touched"
fi
number=$(in_version "$tool" python -m tripwire_api.deploy.record begin "$new" "$current" "$who") || stop "the record could not be written"
for service in $SERVICES; do
    replaced="$service $replaced"
    replace "$service" "$new" || stop "an instance of $service did not become healthy"
done
say "Proving"
in_version "$tool" python -m tripwire_api.deploy.proof https://edge "$EDGE_HOST" >"${TMPDIR:-/tmp}/$lock.$$" 2>&1 || {
    said=$(tail -n 1 "${TMPDIR:-/tmp}/$lock.$$")
    rm -f "${TMPDIR:-/tmp}/$lock.$$"
    stop "the proof failed: $said"
}
say "Proved: $(tail -n 1 "${TMPDIR:-/tmp}/$lock.$$")"
rm -f "${TMPDIR:-/tmp}/$lock.$$"
in_version "$tool" python -m tripwire_api.deploy.record finish "$number" "done" >/dev/null || say "The record could not be finished." >&2
number=''
# What `make up` takes where no instance is left to tell.
for service in $SERVICES; do docker tag "tripwire-$service:$new" "tripwire-$service:latest"; done
say "Version $new runs. Back to $current: make rollback"
