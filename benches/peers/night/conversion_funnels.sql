-- The funnel of the entry dates that are not mature yet.
select
    n::date as date, 'onboarding' as funnel_name, s.step as step_order, s.name as funnel_step,
    count(o.step) as total_users,
    case when s.step < 8 then count(o.seconds) end as converted_users,
    case when s.step < 8 then count(o.seconds) * 100.0 / nullif(count(o.step), 0) end as conversion_rate,
    avg(o.seconds) as avg_time_to_convert,
    percentile_cont(0.5) within group (order by o.seconds) as median_time_to_convert,
    percentile_cont(0.9) within group (order by o.seconds) as p90_time_to_convert,
    (n + interval '1 day') at time zone 'UTC' + interval '336 hours' <= now() as is_mature
from generate_series({day} - interval '13 days', {day}, interval '1 day') as n
cross join (
    values (1, 'app_open'), (2, 'registration_start'), (3, 'registration_complete'), (4, 'first_session'),
        (5, 'first_match'), (6, 'first_message'), (7, 'subscription_view'), (8, 'subscription_purchase')
) as s (step, name)
left join steps o on o.day = n::date and o.step = s.step
group by n, s.step, s.name
