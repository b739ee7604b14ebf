-- What a backup must know first, a line for each (steps.sh looks for the words).
SELECT 'tables are ours' WHERE to_regclass('public.provisioning_requests') IS NOT NULL
UNION ALL
SELECT 'auth is ours' FROM pg_class
WHERE oid = to_regclass('auth.users') AND pg_has_role(relowner, 'USAGE') AND to_regclass('public.provisioning_requests') IS NOT NULL
UNION ALL
SELECT 'has pg_trgm' FROM pg_extension WHERE extname = 'pg_trgm';
