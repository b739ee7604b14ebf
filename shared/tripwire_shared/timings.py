"""Every time-out and interval that the settings do not set, in seconds, in one place.

The contract fixes the sums (a 503 within 2 s, an alert within 1 s, recovery within 10 s); the parts below are
chosen so that the sums hold. Where a number follows from another, the comment says how.
"""

# PostgreSQL. A silent server must not hold a request: one statement at most 1.5 s, all statements of an API request
# together 1.8 s, so that a 503 leaves within 2 s. Workers may wait longer, but less than a lease.
API_STATEMENT_LIMIT = 1.5
API_REQUEST_BUDGET = 1.8
WORKER_STATEMENT_LIMIT = 4.0
POOL_TIMEOUT = 0.5
# No answer for this long to anybody in a process: the database is silent, and requests are refused at once. Shorter
# than one statement's limit, and long enough for two questions whether it is there, which whoever waits in vain has
# asked each SILENCE_DOUBTED_AFTER. One request in each interval tries all the same; longer than a request's budget, so
# that it holds one thread at a time.
SILENCE_AFTER = 1.2
SILENCE_DOUBTED_AFTER = 0.4
SILENCE_PROBE_INTERVAL = 2.0
# Background threads ask an unavailable database again after this.
DATABASE_RETRY_PAUSE = 1.0
# What each of them gets to end what it is at, when its process stops.
BACKGROUND_STOP_TIMEOUT = 5.0
CONNECT_TIMEOUT = 2
# Addresses that came later than the most impatient waits for them (REDIS_TIMEOUT) are kept for a moment: longer than
# the pauses after which everybody tries again.
LOOK_UP_LATE_AFTER = 0.1
ADDRESSES_KEPT = 5.0
# At start, whether LISTEN can work: all of its questions together. Less than anybody waits for a start.
LISTEN_CHECK_LIMIT = 3.0
# Server-side ends of what a vanished client leaves behind (milliseconds, as PostgreSQL takes them).
IDLE_IN_TRANSACTION_MS = 3_000
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 1_000
# A statement whose client is gone ends, and lets go of its locks, sooner than another gives up waiting for them.
CLIENT_CHECK_MS = 500
TCP_USER_TIMEOUT_MS = 4_000
SERVER_KEEPALIVE_IDLE = 5
# Migrations: how long one waits for a table in use (everybody else waits behind it, so less than a request may take),
# and for others who are migrating at the same time.
MIGRATION_LOCK_MS = 1_000
MIGRATION_TURN = 30.0
MIGRATION_TURN_POLL = 0.1

# A claim's lease: longer than anything that is done under it. It begins anew before each statement that comes later
# than LEASE_RENEWED_AFTER, and the statement ends after SET_STATEMENT_LIMIT: 1.5 + 3 < 5. What is asked of others in
# between ends earlier: IDENTITY_PROVIDER_TOTAL. A vanished host costs the lease and one look of the sweep, 6 s; its
# statement under way ends by itself.
CLAIM_LEASE = 5.0
LEASE_RENEWED_AFTER = 1.5
SET_STATEMENT_LIMIT = 3.0
# The pace. Slots are granted that begin within SLOT_NEAR; who gets none asks again when one comes near, for SLOT_WAIT
# at most, and never more often than SLOT_POLL_LEAST. Both together are less than CHILD_SILENT_LIMIT. A last slot
# further ahead than SLOT_TOO_FAR is a clock that was set back: more than a grant's second and the widest spacing.
SLOT_NEAR = 1.0
SLOT_WAIT = 3.0
SLOT_POLL_LEAST = 0.02
SLOT_TOO_FAR = 5.0
# How long the API's synchronous path waits for a request that a worker holds, before it answers 202.
RIVAL_WAIT = 1.0
RIVAL_POLL = 0.05

# All of the synchronous path's waits for the database together; after it the answer is 202 and the sweep goes on.
SYNC_PROVISIONING_BUDGET = 3.0

# A group's insert waits so long for what others hold (milliseconds); then its members are stored one by one, so that
# nobody waits long for a neighbour.
GROUP_LOCK_TIMEOUT_MS = 200

# Idempotency keys: a key whose process died is free again after this.
KEY_ABANDONED_AFTER = 30.0

# Redis, seen from the API: a frozen server costs one time-out.
REDIS_TIMEOUT = 0.2
BREAKER_PROBE_INTERVAL = 0.5
# An outage is over when no process has seen a failure for this long (contract section 8). What fails later is another.
INCIDENT_QUIET = 5.0
# That PostgreSQL is back is said by a process that alerts past it, since it must know what Telegram was told last when
# PostgreSQL goes away again; by others where there is none, so much later.
RESOLVED_BY_OTHERS_AFTER = 5.0
# The watch: how often the sweep's looks; how often that of an API process, which is told at once of trouble with queue
# or database; both while something is wrong; and how long a look may take.
WATCH_INTERVAL = 1.0
WATCH_INTERVAL_IN_API = 5.0
WATCH_INTERVAL_IN_TROUBLE = 0.5
WATCH_LOOK_LIMIT = 2.0
# The watch does not speak for waiting callers: it may be patient with a busy Redis.
WATCH_REDIS_TIMEOUT = 1.0
# That PostgreSQL takes writes: tried by a look of the watch each WRITE_TRIED_EVERY, and by each while anything is
# wrong; nobody writes where somebody did within WRITTEN_LATELY. With WATCH_MISSES well under the 10 s of an alert.
WRITE_TRIED_EVERY = 4.0
WRITTEN_LATELY = 2.0
# So many looks in a row must have failed: a single one is a restart or a busy moment.
WATCH_MISSES = 2
# Requests fail minutes apart when their cause goes on: quiet for two of the minutes that share an alert.
REQUESTS_FAILING_QUIET = 120.0
# One address refused while others get through is no outage: two failing mails are, or one for this long.
MAIL_FAILING_AFTER = 4.0
# "Nothing took up work for 60 s": seen on the requests themselves, then confirmed over some looks, since after an
# outage of PostgreSQL all of them are that old.
WORKER_ABSENT_AFTER = 55.0
WORKER_ABSENT_CONFIRMED = 5.0
# What was seen while PostgreSQL was away is told first by the process that may have alerted past it.
TELLING_HEAD_START = 3.0
TELLING_POLL = 0.25
# Who of all hosts sends an alert past PostgreSQL: kept in Redis while it is being sent, and for the outage.
DIRECT_ALERT_TURN = 20
DIRECT_ALERT_KEPT = 86_400

# The HTTP server of API and admin UI. A connection may be silent between two requests for CONNECTION_IDLE_LIMIT. From
# the first byte of a request to the last one of its body REQUEST_READ_LIMIT may pass, however they are spread out; each
# piece of its answer must be taken within ANSWER_TAKEN_WITHIN. After a last answer LAST_WORD_LINGER is left for the
# client to close, so that nothing it still sends destroys what it has not read yet.
CONNECTION_IDLE_LIMIT = 30
REQUEST_READ_LIMIT = 10.0
ANSWER_TAKEN_WITHIN = 20.0
LAST_WORD_LINGER = 2.0
# A request stands in line for a place in the application for so long; then it is refused.
PLACE_PATIENCE = 10.0
# A process that stops gives kept-alive connections so long for a request that is on its way.
STOP_IDLE_LINGER = 2.0
STOP_LOOK = 0.05
# Where the system cannot take in a connection.
ACCEPT_RETRY_PAUSE = 0.1
# How often a server process tells gunicorn's parent that it is alive.
WORKER_HEARTBEAT_TO_PARENT = 1.0

# What a scrape may wait for PostgreSQL; after that its figures are unknown.
SCRAPE_LIMIT = 1.0
# What the API asked for one scrape is good for others that come within this.
SCRAPE_KEPT = 1.0
# How long a scrape of the worker service waits for others' before it: two of them that PostgreSQL and Redis hold up.
SCRAPE_TURN_WAIT = 3.0
# For the folder of figures: a scrape and a merge of a dead process' files take milliseconds each.
METRICS_LOCK_LIMIT = 1.0
METRICS_LOCK_POLL = 0.005

# The worker service. A set has its process for itself for SET_ALONE_FOR; then the next one goes on beside it. All that
# an attempt does has a limit: one that takes longer than ATTEMPT_STUCK_AFTER (a set of fifty passwords on a busy
# machine takes 20 s) hangs.
SET_ALONE_FOR = 0.05
ATTEMPT_STUCK_AFTER = 60.0
# The sweep: all statements of one look; the pause where others hold all that is due; and the one after an outage of
# PostgreSQL, longer than DATABASE_RETRY_PAUSE, after which each process notes what the outage did to its attempts.
SWEEP_LOOK_LIMIT = 3.0
TAKEN_BY_OTHERS_PAUSE = 0.05
AFTER_OUTAGE_PAUSE = 2.0

# RQ. How long the worker waits at the queue before it looks at anything else, and at most for any answer of Redis.
QUEUE_WAIT = 1.0
WORKER_REDIS_TIMEOUT = 2.0
# RQ's own limit of a job, written into it; ours are in the attempt itself.
JOB_TIMEOUT = 10
JOB_FAILURE_TTL = 86_400
# A job stays among the started ones for this long where its process died; then the next worker removes it.
JOB_KEPT_STARTED = 120.0
# An idle worker and a busy one renew their entry each WORKER_HEARTBEAT; it is kept for a minute longer than WORKER_TTL.
# One with less left than WORKER_KEPT_ALIVE has been silent for 25 s.
WORKER_HEARTBEAT = 5.0
WORKER_TTL = 20
WORKER_KEPT_ALIVE = 55
# How often a worker process asks for a Redis that is away.
WORKER_REDIS_POLL = 0.5
# How often the service looks at its processes.
CHILD_LOOK = 0.5
# A dead process is started again at once; after five deaths in a minute only every ten seconds.
RESTART_PAUSE = 0.5
RESTART_SLOW_PAUSE = 10.0
DEATHS_WINDOW = 60.0
# The worker service's processes give a sign of life each second. One that hangs or is stopped for this long is killed
# and started again, early enough for the 10 s within which others must go on with its work. At its start it may take
# longer.
CHILD_PULSE = 1.0
CHILD_SILENT_LIMIT = 5.0
CHILD_START_LIMIT = 30.0
# At SIGTERM what is under way is finished; then the process ends.
WORKER_DRAIN_LIMIT = 10.0
WORKER_STOP_TIMEOUT = 15.0

# Wake-ups. A listener that hears nothing for LISTENER_WAIT asks the server whether it is there; one without a
# connection tries again after the pause, and has everybody look for themselves meanwhile.
LISTENER_WAIT = 5.0
LISTENER_RECONNECT_PAUSE = 0.5

# Outbox: leases, pauses between looks, and the backoffs of contract section 8.
# Of a batch of mails: the last one is begun after MAIL_BATCH_TIME, is out after SMTP_TOTAL at most, and is noted
# MAIL_ANSWER_NOTED_AFTER later: as sent, as failed, or as out without an answer, for which it gets another lease. So no
# mail is under way when its lease ends.
MAIL_LEASE = 30.0
MAIL_BATCH_TIME = 5.0
# How long a mail of a batch may go out after it was closed: its customer erased, its link replaced.
LEASE_LOOK_INTERVAL = 0.5
# A killed process' heir sends again what went out in the last so many seconds.
MAIL_NOTED_WITHIN = 0.1
# Telegram's whole call, and some room: an alert whose process was killed waits no longer.
ALERT_LEASE = 10.0
# How often a deliverer looks unasked: less than FAILED_REQUESTS_ALERT_WINDOW, of whose end nobody is told. While the
# database is away it looks as often as the listener tries. And the shortest pause where others have what is due.
DELIVERY_POLL = 10.0
DELIVERY_POLL_IN_TROUBLE = 0.5
DELIVERY_LEAST_PAUSE = 0.05
# For so long an API process leaves mails that it did not cause to the worker service while nobody sends any; and for so
# long while somebody does. All of 5,000 that came at once are out before that.
MAIL_PATIENCE_IN_API = 1.0
MAIL_LONG_PATIENCE_IN_API = 10.0
MAIL_BACKOFF = (5.0, 15.0, 60.0, 300.0, 900.0)
MAIL_GIVE_UP_AFTER = 86_400.0
ALERT_BACKOFF = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
ALERT_SPACING = 1.0
FAILED_REQUESTS_ALERT_WINDOW = 60.0
# Together well under the 10 s within which a silent Telegram must be said, also where its name has two addresses.
TELEGRAM_CONNECT_TIMEOUT = 2.0
TELEGRAM_TIMEOUT = 5.0
# The whole call, however it is spread out: less than an alert's lease.
TELEGRAM_TOTAL = 8.0
# Of one answer of the mail server, and of looking up its address; and of a whole delivery until all of the mail is out,
# connecting included. RFC 5321 4.5.3.2 would wait longer, 2 to 5 minutes: but a mail that is not out is simply tried
# again.
SMTP_TIMEOUT = 10.0
SMTP_TOTAL = 20.0
# For the answer to a mail that is out: trying again sooner makes copies. RFC 5321 4.5.3.2.6, "DATA Termination: 10
# minutes".
SMTP_ANSWER_LIMIT = 600.0
# An answer that takes longer than this is noted as owing, so that who comes after a killed process knows of it; the
# other mails wait for it so much longer; and at the end of its process it has so long to come.
MAIL_ANSWER_NOTED_AFTER = 1.0
MAIL_ANSWER_PATIENCE = 9.0
MAIL_ANSWER_PATIENCE_AT_STOP = 2.0
# While it is owing, and a bit longer, nobody else gets the mail. The lease is renewed once, for all of that time: so a
# PostgreSQL that is away meanwhile changes nothing.
MAIL_ANSWER_LEASE = SMTP_ANSWER_LIMIT + 30.0
# This host's full name, where DNS knows it.
OWN_NAME_LOOKUP_LIMIT = 1.0
# A delivery past its time is cut off at most so late, and again while there is nothing to cut yet.
SMTP_CUT_RETRY = 0.5
IDENTITY_PROVIDER_TIMEOUT = 3.0
# The whole call, however it is spread out: less than a lease.
IDENTITY_PROVIDER_TOTAL = 4.0

# The minute's report: a minute is over when all that finished in it is committed, which takes a statement's limit at
# most (STATEMENT_TIMEOUT_MS). So it is written 65 s after it began, and 125 s old when the next one is. A busy moment
# is allowed; after that nobody measures.
MINUTE_IS_OVER_AFTER = 5.0
MINUTE_OVERDUE_AFTER = 150.0

# What is written late waits in memory, incidents in a line of their own: at most this many in each line.
LATE_WRITES_AT_MOST = 1_000

# People.
TOKEN_CACHE_TTL = 0.8
# That a token is used is noted not more often than this.
TOKEN_USE_NOTED_EVERY = 60.0
SESSION_TTL = 12 * 3600.0
INVITATION_TTL = 72 * 3600.0
# Staff may ask for a new link (by mail or not) for one customer not more often than this.
LINK_ASKED_EVERY = 60.0
LOGIN_WINDOW = 60.0
LOGIN_FAILURES_PER_ACCOUNT = 5
LOGIN_FAILURES_PER_ADDRESS = 50
PREFER_WAIT_MAX = 30.0
# How often a process asks for all that are waited for in it, in one statement, although nobody told of them.
PREFER_WAIT_POLL = 2.0
# How often it looks whether their tokens are still good: with TOKEN_CACHE_TTL below the second within which a
# revocation holds. Most looks find the answer at hand.
PREFER_WAIT_TOKEN_POLL = 0.1

# Housekeeping of the worker service: how often, how long one run may take, and when the next follows where that was not
# enough (or something failed): a backlog of a million rows is gone within minutes, and others have their turn.
RETENTION_INTERVAL = 3_600.0
RETENTION_RUN_LIMIT = 10.0
RETENTION_CATCH_UP_PAUSE = 20.0
# How long what is over is kept.
DAY = 86_400.0
# A session that ended can do nothing any more; a day for whoever asks why it did. Tokens of programs: a month, so that
# it can still be found out which one a program used when it was refused.
ENDED_SESSIONS_KEPT = DAY
ENDED_TOKENS_KEPT = 30 * DAY
# Alerts were read when they came, and what they said stands in the incidents.
ALERTS_KEPT = 30 * DAY
# Timeline, links and sent mails of a request: a quarter after its end nobody asks how it went, only that it did.
REQUEST_DETAILS_KEPT = 90 * DAY
# The activity log is an audit trail: as long as books are commonly kept. From where somebody did it is personal, and of
# use only while an intrusion may still be looked into.
ACTIVITY_KEPT = 5 * 365 * DAY
ACTIVITY_ADDRESSES_KEPT = 365 * DAY
# Incidents and switches are few, and compared with last year's.
INCIDENTS_KEPT = 365 * DAY
SWITCHES_KEPT = 365 * DAY
DEPLOYS_KEPT = 365 * DAY
# The longest chart shows seven days, in whole hours.
MEASURED_MINUTES_KEPT = 8 * DAY

# Admin UI. One page asks the API for several things at the same time: all of them together get the budget, so that a
# page stands in under 3 s although the API is silent. A session ends with the token behind it at the latest.
UI_CONNECT_TIMEOUT = 1.0
UI_PAGE_BUDGET = 2.5
# A test alert may take Telegram's whole time, and the API's answer a moment more; the browser waits a second longer.
UI_ALERT_BUDGET = TELEGRAM_TOTAL + 1.0
# The API is asked with each page who its reader is, and the answer is kept for so long: with TOKEN_CACHE_TTL, by which
# the API's own may be old, less than a second.
UI_IDENTITY_KEPT = 0.15
UI_REFRESH = 5.0
UI_FIGURE_AGEING_AFTER = 15.0
UI_SESSION_IDLE = 30 * 60.0
UI_SESSION_END = SESSION_TTL
# Moving the idle time on costs a Set-Cookie: not more often than this.
UI_SESSION_TOUCH = 60.0
# So long a form that was sent after the end of a session waits for its sender to sign in again.
UI_FORM_KEPT = 3_600.0
UI_GRACEFUL_TIMEOUT = 5
# The charts' history is asked anew after a sixth of its bucket, at the latest after this.
UI_HISTORY_KEPT_MAX = 60.0
# The Queue page looks into Redis itself: frozen, it must be said within a second, the API's answers included.
UI_REDIS_TIMEOUT = 0.25

# `make run` (deploy/local). The stop limits add up to less than the 10 s within which everything must have ended.
LOCAL_START_LIMIT = 30.0
LOCAL_READY_LIMIT = 60.0
LOCAL_POLL = 0.1
LOCAL_HTTP_TIMEOUT = 2.0
LOCAL_CONNECT_TIMEOUT = 3
LOCAL_STOP_WORKER = 3.0
LOCAL_STOP_ADMIN_UI = 1.0
# gunicorn keeps idle connections for 2 s, in case that a request is on its way.
LOCAL_STOP_API = 2.8
LOCAL_STOP_VALKEY = 1.0
LOCAL_STOP_POSTGRES = 2.0
LOCAL_STOP_BUDGET = 10.0
LOCAL_ORPHAN_STOP = 2.0

# Spans for OpenTelemetry: sent so often, and given up after so long: a collector that is away holds nobody up.
SPANS_SENT_EVERY = 2.0
SPANS_SENT_WITHIN = 2.0

# The proof of a deploy: one answer, and a test customer from accepted to provisioned.
PROOF_ANSWER_LIMIT = 15.0
PROOF_LIMIT = 60.0

# `make demo` (deploy/demo): how long the tour waits for what is promised within a second or two, on a busy machine.
DEMO_HTTP_TIMEOUT = 15.0
DEMO_PROVISION_LIMIT = 10.0
# RESOLVED comes INCIDENT_QUIET after Redis' return.
DEMO_ALERT_LIMIT = 12.0
DEMO_BACK_LIMIT = 5.0
