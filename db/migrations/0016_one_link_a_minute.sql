-- When staff last asked for a new link for a customer: at most once a minute, over all processes. Not indexed, so that
-- noting it touches no index.
-- depends: 0015_search

ALTER TABLE tripwire_users ADD COLUMN link_asked_at timestamptz;
