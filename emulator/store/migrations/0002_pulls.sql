-- Pull consumers of queues, and the leases on the messages that they hold.

create table pull_consumers (
    queue text primary key,
    batch_size integer not null,
    max_retries integer not null,
    retry_delay integer not null,
    visibility_timeout integer not null,
    dead_letter_queue text,
    created_at integer not null
) without rowid;

-- A message has those of all its deliveries: an ack that comes late counts.
create table leases (
    id text primary key,
    message integer not null references messages (sequence) on delete cascade
) without rowid;

create index leases_by_message on leases (message);
