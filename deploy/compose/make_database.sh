#!/bin/sh
# Runs once, inside the postgres container, when its volume is new: the application's role and database. The role owns
# the database and is no superuser.
set -eu
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname postgres \
    --set password="$(cat /run/secrets/postgres_password)" <<'SQL'
CREATE ROLE tripwire LOGIN PASSWORD :'password';
CREATE DATABASE tripwire OWNER tripwire;
REVOKE CONNECT ON DATABASE tripwire FROM PUBLIC;
SQL
