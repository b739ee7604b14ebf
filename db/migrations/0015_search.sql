-- What a search looks into: name and address, folded by the services (search_text.py), so that neither case nor form nor
-- the database's collation matters. Rows of before are filled by the worker service's clean-up, the newest first; until
-- then they are found as they were. Outside a transaction: indexes are built while others write, and begun again after it
-- was broken off it does the same once more.
-- transactional: false
-- depends: 0014_ascii_domains

CREATE EXTENSION IF NOT EXISTS pg_trgm;

ALTER TABLE provisioning_requests ADD COLUMN IF NOT EXISTS search_text text;
ALTER TABLE tripwire_users ADD COLUMN IF NOT EXISTS search_text text;

-- Whoever changes a name or an address need not know of the text: it goes, and is folded anew.
CREATE OR REPLACE FUNCTION forget_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_text := NULL;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER forget_search_text BEFORE UPDATE OF email, full_name ON provisioning_requests
    FOR EACH ROW WHEN (NEW.search_text IS NOT DISTINCT FROM OLD.search_text) EXECUTE FUNCTION forget_search_text();
CREATE OR REPLACE TRIGGER forget_search_text BEFORE UPDATE OF email, full_name ON tripwire_users
    FOR EACH ROW WHEN (NEW.search_text IS NOT DISTINCT FROM OLD.search_text) EXECUTE FUNCTION forget_search_text();

-- What waits for older transactions here holds nobody else up.
SET lock_timeout = '30s';

-- Those that are still to be folded.
DROP INDEX CONCURRENTLY IF EXISTS requests_to_fold;
CREATE INDEX CONCURRENTLY requests_to_fold ON provisioning_requests (accepted_at DESC, id DESC) WHERE search_text IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS customers_to_fold;
CREATE INDEX CONCURRENTLY customers_to_fold ON tripwire_users (created_at DESC, user_id DESC) WHERE search_text IS NULL;

-- An accepted request is not in it, so that accepting costs no more: those are few, and found by the index `due`. What
-- waits to be merged is kept small: each search reads it, and whoever makes it full merges it.
DROP INDEX CONCURRENTLY IF EXISTS requests_searched;
CREATE INDEX CONCURRENTLY requests_searched ON provisioning_requests USING gin (search_text gin_trgm_ops)
    WITH (gin_pending_list_limit = 256) WHERE status <> 'accepted';
DROP INDEX CONCURRENTLY IF EXISTS customers_searched;
CREATE INDEX CONCURRENTLY customers_searched ON tripwire_users USING gin (search_text gin_trgm_ops)
    WITH (gin_pending_list_limit = 256);
