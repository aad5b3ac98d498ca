-- The first tables: workflow instances with their steps, attempts and events, and queued messages.
-- Times are microseconds since 1970, UTC. Values are in the form that crosses between the processes (JSON text).

create table instances (
    key integer primary key,
    workflow text not null,
    id text not null,
    status text not null,
    params text not null,
    epoch integer not null default 0,
    "trigger" text not null,
    schedule text,
    created_at integer not null,
    modified_at integer not null,
    started_at integer,
    ended_at integer,
    wake_at integer,
    paused_at integer,
    hold_reason text,
    ending text,
    success_retention integer,
    error_retention integer,
    expires_at integer,
    output text,
    error text,
    unique (workflow, id)
);

create index instances_by_status on instances (status, wake_at);

create index instances_by_age on instances (workflow, created_at);

create index instances_by_state on instances (workflow, status, created_at);

create index instances_by_expiry on instances (expires_at) where expires_at is not null;

create table steps (
    instance integer not null references instances (key) on delete cascade,
    kind text not null,
    name text not null,
    count integer not null,
    "order" integer not null,
    state text not null,
    config text not null,
    attempts integer not null,
    started_at integer not null,
    ended_at integer,
    wake_at integer,
    event_type text,
    result text,
    error text,
    primary key (instance, kind, name, count)
) without rowid;

create table attempts (
    instance integer not null references instances (key) on delete cascade,
    "order" integer not null,
    attempt integer not null,
    started_at integer not null,
    ended_at integer,
    error text,
    primary key (instance, "order", attempt)
) without rowid;

create table blocks (
    instance integer not null references instances (key) on delete cascade,
    "order" integer not null,
    number integer not null,
    bytes blob not null,
    unique (instance, "order", number)
);

create table events (
    sequence integer primary key autoincrement,
    instance integer not null references instances (key) on delete cascade,
    type text not null,
    payload text not null,
    sent_at integer not null
);

create index events_by_type on events (instance, type, sequence);

create table queues (
    name text primary key,
    count integer not null default 0,
    bytes integer not null default 0,
    paused integer not null default 0
) without rowid;

create table messages (
    sequence integer primary key autoincrement,
    id text not null,
    queue text not null,
    body text not null,
    content_type text not null,
    size integer not null,
    sent_at integer not null,
    visible_at integer not null,
    failures integer not null default 0
);

create index messages_by_queue on messages (queue, visible_at, sequence, size);

-- Every send reports how much the queue holds; counting a long queue each time would make sends slow.
create trigger message_added after insert on messages begin
    insert into queues (name, count, bytes) values (new.queue, 1, new.size)
    on conflict (name) do update set count = count + 1, bytes = bytes + new.size;
end;

create trigger message_removed after delete on messages begin
    update queues set count = count - 1, bytes = bytes - old.size where name = old.queue;
end;
