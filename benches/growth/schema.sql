-- How a benchmark's sources are numbered: rows of a fact are counted through from 2020 on, so that a window of time is a
-- range of numbers, and windows that meet share no row.

-- The rows of a fact that has so many a day, evenly apart: number and instant.
create function moments(since timestamptz, until timestamptz, per_day bigint)
    returns table (n bigint, at timestamptz) language sql immutable as $$
    select n, timestamptz '2020-01-01Z' + make_interval(secs => n * 86400.0 / per_day)
    from generate_series(
        ceil(extract(epoch from since - timestamptz '2020-01-01Z') * per_day / 86400)::bigint,
        ceil(extract(epoch from until - timestamptz '2020-01-01Z') * per_day / 86400)::bigint - 1
    ) as n
$$;

-- A number below `beyond` that looks drawn, always the same for the same row and use.
create function drawn(n bigint, use bigint, beyond bigint) returns bigint language sql immutable as $$
    select (hashint8extended(n, use) & 9223372036854775807) % beyond
$$;

-- Ids rise, which an index likes.
create function id_of(n bigint) returns uuid language sql immutable as $$
    select lpad(to_hex(n), 32, '0')::uuid
$$;
