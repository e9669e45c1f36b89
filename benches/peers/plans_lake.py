"""The rows of a lake of 90 days, as an Arrow stream: plans_lake.py SCALE TABLE FROM DAYS

The same for the same arguments: every value is a hash of its day and number. Few people do much and many do little,
messages and events lie in sessions, and one account in ten is made within the window. Scale 1 is a million accounts,
20 million sessions and messages and 50 million events in 90 days.
"""

import datetime
import sys

import duckdb
import pyarrow as pa

HISTORY = 90

# u(day, n, salt) is uniform in [0, 1). Sessions are drawn by number, so that what lies in one can be told from it;
# three in a row are of one person.
MACROS = """
create macro u(d, n, salt) as (hash(d * 100000000::bigint + n, salt) >> 11) / 9007199254740992.0;
create macro key_of(person) as (hash(person, 'user') >> 1)::bigint;
create macro device_of(person) as (hash(person, 'device') >> 1)::bigint;
create macro instant(micros) as make_timestamp(micros::bigint);
create macro joined(person) as case when person % 10 = 9 then (hash(person, 'joined') % {history})::int else -1 end;
create macro drawn(d, n) as ((floor({users} * pow(u(d, n // 3, 'who'), 2.5))::bigint * 7919) % {users})::bigint;
create macro whom(d, n) as drawn(d, n) - case when joined(drawn(d, n)) > d then 1 else 0 end;
create macro began(d, n) as 86399000000 * (0.8 * u(d, n, 'at') + 0.2 * sqrt(u(d, n, 'late')));
create macro lasted(d, n) as -ln(1 - u(d, n, 'long')) * case when n % 50 = 0 then 12e9 else 4e8 end + 1000;
create macro within(d, n, share) as least(began(d, n) + lasted(d, n) * share, 86399999999);
create macro platform_of(person, n) as ['ios', 'android', 'web'][1 + (hash(person, n % 20 = 0) % 3)::int];
create macro country_of(person) as ['DE', 'FR', 'US', 'BR', 'JP', 'IN', null][1 + (hash(person, 'land') % 7)::int];
create macro version_of(d, person) as '4.' || (d // 10 + (hash(d, person, 'build') % 20 < 3)::int) || '.0';
"""

ROWS = {
    "user_sessions": (20e6 / HISTORY, """
        select key_of(p) as user_key, md5(concat_ws('/', 's', {d}, n))::uuid as session_id,
            case when n % 97 > 0 then platform_of(p, n) end as platform, version_of({d}, p) as app_version,
            country_of(p) as country, instant(start) as started_at, instant(start + length) as last_seen_at,
            case when n % 33 > 0 then instant(start + length + 30000000) end as ended_at,
            case when n % 33 > 0 then ['logout', 'background', 'timeout', 'crash', null][1 + n % 5] end as exit_reason
        from (select n, whom({d}, n) as p, {day} + began({d}, n)::bigint as start, lasted({d}, n)::bigint as length
            from range({count}) r(n))"""),
    "session_telemetry": (20e6 / HISTORY, """
        select key_of(whom({d}, n)) as user_key, md5(concat_ws('/', 's', {d}, n))::uuid as session_id,
            instant({day} + began({d}, n)) as started_at, (1 + hash(n) % 30)::int as screens_viewed,
            (hash(n, 1) % 90)::int as actions_taken
        from range({count}) r(n) where n % 20 > 0 and {d} >= 70"""),
    "messages": (20e6 / HISTORY, """
        select md5(concat_ws('/', 'm', {d}, n))::uuid as message_id, key_of(whom({d}, s)) as sender,
            key_of(drawn({d}, n + 50000000)) as recipient, ['text', 'text', 'image', 'voice', 'gif'][1 + n % 5] as kind,
            instant({day} + within({d}, s, u({d}, n, 'm'))) as created_at
        from (select n, (u({d}, n, 'in') * {sessions})::bigint as s from range({count}) r(n))"""),
    "events": (50e6 / HISTORY, """
        select printf('%016x', hash({d}, n, 'e')) as event_id, case when n % 7 > 0 then key_of(p) end as user_key,
            device_of(p) as anonymous_key, printf('%08x', hash({d}, s) >> 32) as session_id,
            ['app_open', 'screen_view', 'screen_view', 'swipe', 'swipe', 'swipe', 'profile_view', 'profile_view',
                'message_send', 'message_read', 'search', 'settings_open', 'photo_upload', 'subscription_view',
                'paywall_close', 'registration_start'][1 + (hash(n, {d}) % 16)::int] as event_name,
            '{{"screen":"' || ['discover', 'chat', 'profile', 'likes'][1 + n % 4] || '"}}' as properties,
            instant(start) as event_time, instant(start + 1500000) as received_at, platform_of(p, s) as platform,
            version_of({d}, p) as app_version, country_of(p) as country
        from (select n, s, whom({d}, s) as p, {day} + within({d}, s, u({d}, n, 'e'))::bigint as start
            from (select n, (u({d}, n, 'in') * {sessions})::bigint as s from range({count}) r(n)))
        order by event_time"""),
    "matches": (2e6 / HISTORY, """
        select md5(concat_ws('/', 'x', {d}, n))::uuid as match_id, key_of(whom({d}, n * 7)) as user_a,
            key_of(drawn({d}, n + 60000000)) as user_b,
            instant({day} + within({d}, n * 7, u({d}, n, 'x'))) as created_at
        from range({count}) r(n)"""),
    "interactions": (1e6 / HISTORY, """
        select md5(concat_ws('/', 'i', {d}, n))::uuid as interaction_id, ['video', 'voice', 'text'][1 + n % 3] as kind,
            key_of(whom({d}, n)) as initiator, key_of(drawn({d}, n + 70000000)) as partner,
            instant({day} + began({d}, n)) as started_at,
            instant({day} + began({d}, n) + 1e6 * (hash(n) % 1800)) as ended_at,
            'hangup' as end_reason
        from range({count}) r(n)"""),
    "matching_queue": (1e6 / HISTORY, """
        select key_of(whom({d}, n)) as user_key, md5(concat_ws('/', 'q', {d}, n))::uuid as queue_id,
            instant({day} + began({d}, n)) as joined_at,
            instant({day} + began({d}, n) + 1e6 * (1 + hash(n) % 120)) as left_at,
            'matched' as outcome
        from range({count}) r(n)"""),
    "payments": (3e5 / HISTORY, """
        select key_of(whom({d}, n)) as user_key, md5(concat_ws('/', 'p', {d}, n))::uuid as payment_id,
            md5(concat_ws('/', 'a', whom({d}, n)))::uuid as subscription_id,
            ['initial', 'renewal'][1 + n % 2] as kind, (4 + n % 30 + 0.99)::decimal(12, 2) as amount, 'USD' as currency,
            ['succeeded', 'succeeded', 'succeeded', 'refunded', 'failed'][1 + n % 5] as status,
            instant({day} + began({d}, n)) as paid_at,
            case when n % 5 = 3 then instant({day} + began({d}, n) + 86400000000 * (n % 9)) end as refunded_at,
            null::decimal(12, 2) as refunded_amount
        from range({count}) r(n)"""),
    # Those from before the window have come in the 30 days before it.
    "users": (None, """
        select key_of(n) as user_key, instant({day} + 86399000000 * u(0, n, 'made')) as created_at,
            country_of(n) as country, platform_of(n, 1) as signup_platform,
            ['female', 'male', 'nonbinary', null][1 + (hash(n) % 4)::int] as gender,
            'active' as status, n % 1000 = 77 as is_internal
        from range({users}) r(n)
        where case when joined(n) < 0 then -1 - (hash(n, 'old') % 30)::int else joined(n) end = {d}"""),
}


def main(scale, table, first, days):
    users = int(1e6 * scale)
    connection = duckdb.connect(config={"threads": 2, "arrow_lossless_conversion": True})
    for macro in MACROS.format(users=users, history=HISTORY).split(";\n"):
        if macro.strip():
            connection.execute(macro)
    of_day, sql = ROWS[table]
    writer = None
    for day in range(-30 if table == "users" else 0, days):
        midnight = datetime.datetime.combine(first, datetime.time(), datetime.UTC) + datetime.timedelta(days=day)
        # Fewer in the middle of the week.
        busy = 0.9 + 0.2 * (midnight.weekday() >= 4)
        names = {
            "d": day,
            "day": int(midnight.timestamp()) * 1_000_000,
            "count": int((of_day or 0) * scale * busy),
            "sessions": int(20e6 / HISTORY * scale * busy) - 1,
            "users": users,
        }
        rows = connection.sql(sql.format(**names)).to_arrow_table()
        writer = writer or pa.ipc.new_stream(sys.stdout.buffer, rows.schema)
        writer.write_table(rows, max_chunksize=65_536)
    writer.close()


main(float(sys.argv[1]), sys.argv[2], datetime.date.fromisoformat(sys.argv[3]), int(sys.argv[4]))
