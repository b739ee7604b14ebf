-- The end of a restore's one transaction, sent only where the copy was read to its end (steps.sh looks for the last line).
COMMIT;
SELECT format('restored: %s to be finished, %s mails to be sent',
    (SELECT count(*) FROM public.provisioning_requests WHERE status = 'accepted'),
    (SELECT count(*) FROM public.outbox WHERE channel = 'mail' AND status = 'pending'));
ANALYZE;
