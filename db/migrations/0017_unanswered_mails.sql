-- How often a mail was out and its server did not say whether it took it: such a mail is tried again twice at most.
-- depends: 0016_one_link_a_minute

ALTER TABLE outbox ADD COLUMN unanswered integer NOT NULL DEFAULT 0;
