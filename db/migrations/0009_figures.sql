-- Indexes for the console's lists and figures. None of them is touched by an accepted request's INSERT: each holds only
-- finished requests.
-- depends: 0008_token_use

-- Charts and figures read spans of time from this index alone.
DROP INDEX requests_finished;
CREATE INDEX requests_finished ON provisioning_requests (finished_at) INCLUDE (accepted_at, status, mode)
    WHERE finished_at IS NOT NULL;

-- Few among many: without these a list of them would read all requests.
CREATE INDEX requests_failed ON provisioning_requests (accepted_at DESC, id DESC) WHERE status = 'failed';
CREATE INDEX requests_duplicate ON provisioning_requests (accepted_at DESC, id DESC) WHERE status = 'duplicate';
