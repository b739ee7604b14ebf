-- depends: 0018_deploys

-- What a step says, as data. Steps of before have a sentence in `detail`; they are removed with their request's details.
ALTER TABLE request_steps ADD COLUMN facts jsonb;
