"""What OpenAPI has no words for, told to schemathesis: which valid parameters contradict each other, which days make
sense, and that nobody waits.

Nothing else is excused: a 400 to a request in which no rule below finds a contradiction is a failure.
"""

import datetime
import re

import schemathesis
from hypothesis import strategies as st
from schemathesis.openapi.checks import RejectedPositiveData

TODAY = datetime.datetime.now(datetime.timezone.utc).date()

# The most buckets of an answer, and the most days of a run.
MOST_BUCKETS = 2_000
MOST_DAYS = 3_660

HOURS = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24, "q": 91 * 24}
BUCKET_HOURS = {"hourly": 1, "daily": 24, "weekly": 7 * 24, "monthly": 30 * 24, "quarterly": 91 * 24}

# Days of all millennia are refused, or empty, nearly always: most are those that the demo has figures of.
recent = st.dates(TODAY - datetime.timedelta(days=45), TODAY + datetime.timedelta(days=2))
schemathesis.openapi.format("date", st.one_of(recent, recent, st.dates()).map(datetime.date.isoformat))


@schemathesis.hook
def before_call(context, case, kwargs):
    """A trigger waits for its run, a minute when nothing is said: of every valid wait one second is made."""
    if case.operation.path == "/trigger/{job}":
        wait = (case.query or {}).get("wait", "60")
        if re.fullmatch("[0-9]{1,3}", str(wait)) and int(str(wait)) <= 300:
            case.query = {**(case.query or {}), "wait": 1}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A valid request may be refused with 400 when its parameters contradict each other."""
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        return not any(contradictions(case.operation.path, asked(case)))
    return True


def asked(case):
    """Query and body, by name."""
    body = case.body if isinstance(case.body, dict) else {}
    return {**(case.query or {}), **body}


def contradictions(path, asked):
    """Whether each rule is broken."""
    given = {name for name, value in asked.items() if value is not None}
    first, last = day(asked.get("from")), day(asked.get("to"))
    yield first and last and first >= last
    if path == "/runs":
        return
    # One way of telling a time only, and that one whole.
    ways = [{"range"}, {"timeframe"}, {"date"}, {"from", "to"}]
    yield sum(bool(way & given) for way in ways) > 1
    yield len(given & {"from", "to"}) == 1
    if path.startswith("/kpis/"):
        granularity = asked.get("granularity", "daily")
        yield first and (first > TODAY or first.year < 1900)
        yield "breakdown" in given and granularity != "daily"
        # Which funnels there are is told by the warehouse, not by the document.
        yield path == "/kpis/funnel" and asked.get("funnel", "onboarding") != "onboarding"
        # Months and quarters differ in length, and a window is widened to whole buckets: close to the limit either is right.
        yield hours(asked, first, last) / BUCKET_HOURS[granularity] > MOST_BUCKETS * 0.95
    else:
        yield any(latest and latest > TODAY for latest in (day(asked.get("date")), last and last - datetime.timedelta(1)))
        yield first and last and (last - first).days > MOST_DAYS


def hours(asked, first, last):
    """How long a window is, about."""
    back = asked.get("range", asked.get("timeframe"))
    if back is not None:
        return int(back[:-1]) * HOURS[back[-1]]
    # Days to come are no buckets.
    return (min(last, TODAY) - first).days * 24 if first and last else 0


def day(text):
    """The day that is written, if it is one."""
    try:
        return datetime.date.fromisoformat(text)
    except (TypeError, ValueError):
        return None
