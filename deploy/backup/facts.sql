-- What a backup must know first, a line for each (steps.sh takes them apart). Fed to psql with the variable `tables`: ours, as
-- db/schema.sql names them.
SELECT 'tables are ours' WHERE to_regclass('public.provisioning_requests') IS NOT NULL
UNION ALL
SELECT 'auth is ours' FROM pg_class WHERE oid = to_regclass('auth.users') AND pg_has_role(relowner, 'USAGE')
UNION ALL
SELECT 'has pg_trgm' FROM pg_extension WHERE extname = 'pg_trgm'
UNION ALL
-- Where auth.users is somebody else's, the database is shared, and only what bears our names is ours. Elsewhere everything
-- is that our role owns: a version to come may have tables that this one does not know.
SELECT format('without public.%I', c.relname) FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (NOT pg_has_role(c.relowner, 'USAGE')
       OR (c.relname <> ALL (string_to_array(:'tables', ' ')) AND c.relname !~ '^_?yoyo_'
           AND EXISTS (SELECT FROM pg_class u WHERE u.oid = to_regclass('auth.users') AND NOT pg_has_role(u.relowner, 'USAGE'))));
