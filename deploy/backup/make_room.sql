-- The beginning of a restore's one transaction: refuses what is no empty database of ours, and removes what migrations and a
-- first start have left in it. Fed to psql with the variables `tables` and `functions` (ours, as db/schema.sql names
-- them), `holds_auth` and `holds_trgm` (whether the copy brings auth.users, and needs pg_trgm). close.sql commits.
BEGIN;
SET LOCAL lock_timeout = '5s';
SET LOCAL search_path = public;
SELECT set_config('restore.tables', :'tables', true), set_config('restore.functions', :'functions', true),
       set_config('restore.holds_auth', :'holds_auth', true) \g /dev/null
DO $$
DECLARE
    ours constant text[] := string_to_array(trim(current_setting('restore.tables')), ' ')
        || ARRAY['_yoyo_log', '_yoyo_migration', '_yoyo_version', 'yoyo_lock'];
    holds_auth constant boolean := current_setting('restore.holds_auth');
    -- What a first start writes by itself; any other row is somebody's.
    no_data constant text[] := ARRAY['staff', 'staff_tokens', 'login_failures', 'sales_activity_log', 'worker_pace',
        'system_config', 'system_config_history', 'mode_receipts', 'system_health_logs', 'measured_minutes', 'incidents',
        'write_probe', 'deploys',
        '_yoyo_log', '_yoyo_migration', '_yoyo_version', 'yoyo_lock'];
    -- Of others: only to be looked at.
    auth_users constant regclass := to_regclass('auth.users');
    auth_is_ours constant boolean := (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = auth_users);
    connections integer;
    name text;
    has_rows boolean;
BEGIN
    -- The lock of migrations (shared/tripwire_shared/migrate.py): nobody migrates or restores here meanwhile.
    IF NOT pg_try_advisory_xact_lock(7471901204) THEN
        RAISE EXCEPTION 'somebody else migrates or restores this database right now.';
    END IF;
    SELECT count(*) INTO connections FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
      AND backend_type = 'client backend';
    IF connections > 0 THEN
        RAISE EXCEPTION 'the database is in use (% connections): stop API, worker and admin UI first.', connections;
    END IF;

    SELECT string_agg(c.relname, ', ' ORDER BY c.relname) INTO name FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> ALL (ours)
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e');
    IF name IS NOT NULL AND holds_auth THEN -- a shared database may hold what it likes
        RAISE EXCEPTION 'the database holds tables that are not ours (%): restore into a database of its own.', name;
    END IF;
    IF holds_auth AND NOT auth_is_ours THEN
        RAISE EXCEPTION 'auth.users belongs to somebody else here, and the copy brings its own.';
    END IF;
    IF NOT holds_auth AND auth_users IS NULL THEN
        RAISE EXCEPTION 'the copy is of a database where auth.users is somebody else''s, and here is none.';
    END IF;

    FOREACH name IN ARRAY ours LOOP
        CONTINUE WHEN to_regclass(name) IS NULL OR (name = 'auth.users' AND NOT holds_auth);
        IF name <> ALL (no_data) THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO has_rows;
        ELSIF name = 'staff' THEN -- the first admin
            SELECT count(*) > 1 INTO has_rows FROM public.staff;
        ELSE
            has_rows := false;
        END IF;
        IF has_rows THEN
            RAISE EXCEPTION 'the database is not empty: % holds data.', name;
        END IF;
    END LOOP;

    SELECT string_agg(to_regclass(t)::text, ', ') INTO name FROM unnest(ours) t
    WHERE to_regclass(t) IS NOT NULL AND (t <> 'auth.users' OR holds_auth);
    IF name IS NOT NULL THEN
        EXECUTE 'DROP TABLE ' || name; -- in one statement, as they refer to each other; without CASCADE
    END IF;
    FOR name IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
        AND p.proname = ANY (string_to_array(trim(current_setting('restore.functions')), ' '))
    LOOP
        EXECUTE 'DROP FUNCTION ' || name;
    END LOOP;
END
$$;
\if :holds_auth
SET LOCAL client_min_messages = warning; -- "already exists" is no news
CREATE SCHEMA IF NOT EXISTS auth;
\endif
\if :holds_trgm
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
\endif
