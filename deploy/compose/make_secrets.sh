#!/bin/sh
# Makes the secrets that are absent, in the folder $1. What is there stays: the database's volume knows its password.
# The folder is closed to others; the files are readable, as the containers' users (10001, 999) are not this one.
set -eu
umask 077
folder=$1
mkdir -p "$folder"

random() { # $1 characters of letters and digits
    LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c "$1"
}
secret() { # name, value: writes it where it is absent, in one step
    if [ ! -s "$folder/$1" ]; then
        printf '%s' "$2" >"$folder/.$1.new"
        chmod 444 "$folder/.$1.new"
        mv "$folder/.$1.new" "$folder/$1"
    fi
}
secret postgres_superuser_password "$(random 32)"
secret postgres_password "$(random 32)"
secret valkey_password "$(random 32)"
secret secret_key "$(random 48)"
if [ -n "${ADMIN_PASSWORD:-}" ] && [ ! -s "$folder/admin_password" ]; then
    : >"$folder/.admin_password_was_given" # up.sh then names it, and does not print it
fi
secret grafana_password "$(random 24)"
secret admin_password "${ADMIN_PASSWORD:-$(random 16)}"
secret database_url "postgresql://tripwire:$(cat "$folder/postgres_password")@postgres:5432/tripwire"
secret redis_url "redis://:$(cat "$folder/valkey_password")@valkey:6379/0"
# Every write is kept for a second at most; a full memory refuses writes (the API then falls back) and drops none.
secret valkey.conf "port 6379
dir /data
appendonly yes
appendfsync everysec
save \"\"
maxmemory 384mb
maxmemory-policy noeviction
requirepass $(cat "$folder/valkey_password")
"
