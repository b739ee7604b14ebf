-- How often a mail was out and its server did not say whether it took it: such a mail is tried again twice at most.
-- depends: 0012_fewer_indexes

ALTER TABLE outbox ADD COLUMN unanswered integer NOT NULL DEFAULT 0;
