"""Makes up recurrence rules, and says when their instances begin by a library that is not ours (dateutil).

Usage: recur.py SEED COUNT
Prints a list of {"rule", "start", "from", "until", "starts"}: every time in UTC as calendars write it, the starts that
lie in [from, until). The start is an instance of its rule, as the standard demands.

Left out is what dateutil reads in a way of its own: weekdays with and without a number in one rule (it takes both to be
meant at once), weeks without a weekday (it takes the whole week), the last weeks of a year by their number (it looks at
the wrong year's length), positions from the start in a first week (it begins the week at the first instance).
"""

import datetime as calendar
import json
import sys
import warnings
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from dateutil.rrule import rrulestr

warnings.simplefilter("ignore")

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
# How far the window reaches from the first instance, and how long it is, in days.
WINDOWS = {
    "YEARLY": (4000, 1500),
    "MONTHLY": (1000, 400),
    "WEEKLY": (400, 200),
    "DAILY": (200, 60),
    "HOURLY": (20, 10),
    "MINUTELY": (2, 1),
    "SECONDLY": (0.2, 0.1),
}


def written(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def either_end(last: int) -> list[int]:
    return [*range(1, last + 1), *range(-last, 0)]


def parts(random: Random, frequency: str, begin: datetime) -> dict[str, str]:
    made = {"FREQ": frequency}
    # Where periods are short, what is named holds at the begin: looking for a rare one takes long.
    short = frequency in ("HOURLY", "MINUTELY", "SECONDLY")

    def some(numbers, most: int, here) -> str:
        named = random.sample(list(numbers), random.randint(1, most))
        if short and here not in named:
            named.append(here)
        return ",".join(str(number) for number in named)

    def perhaps(chance: float, key: str, value) -> None:
        if random.random() < chance:
            made[key] = value()

    perhaps(0.5, "INTERVAL", lambda: str(random.choice([1, 2, 3, 4, 7, 13, 25, 90])))
    perhaps(0.3, "BYMONTH", lambda: some(range(1, 13), 4, begin.month))
    perhaps(0.3, "WKST", lambda: random.choice(DAYS))
    perhaps(0.4, "BYDAY", lambda: some(DAYS, 4, DAYS[begin.weekday()]))
    if frequency in ("MONTHLY", "YEARLY") and "BYDAY" in made and random.random() < 0.5:
        last = 5 if frequency == "MONTHLY" or "BYMONTH" in made else 53
        numbers = random.choice([either_end(2), either_end(last)])
        made["BYDAY"] = ",".join(f"{random.choice(numbers)}{day}" for day in made["BYDAY"].split(","))
    elif frequency == "YEARLY" and "BYDAY" in made:
        perhaps(0.5, "BYWEEKNO", lambda: some([*range(1, 52), -1, -2, -3], 6, None))
    if frequency != "WEEKLY":
        perhaps(0.3, "BYMONTHDAY", lambda: some(either_end(31), 12, begin.day))
    if frequency in ("YEARLY", "HOURLY", "MINUTELY", "SECONDLY"):
        perhaps(0.2, "BYYEARDAY", lambda: some(either_end(366), 200, begin.timetuple().tm_yday))
    perhaps(0.3, "BYHOUR", lambda: some(range(24), 8, begin.hour))
    perhaps(0.3, "BYMINUTE", lambda: some(range(60), 8, begin.minute))
    perhaps(0.3, "BYSECOND", lambda: some(range(60), 8, begin.second))
    positions = [-1, -2, -3] if frequency == "WEEKLY" else [1, 2, 3, 5, -1, -2, -3]
    perhaps(0.25, "BYSETPOS", lambda: some(positions, 3, -1))
    return made


def case(random: Random) -> dict | None:
    frequency = random.choice(list(WINDOWS))
    begin = datetime(2019, 1, 1) + timedelta(seconds=random.randrange(9 * 365 * 86_400))
    made = parts(random, frequency, begin)
    text = ";".join(f"{key}={value}" for key, value in random.sample(list(made.items()), len(made)))
    away, length = WINDOWS[frequency]
    # It looks for what never comes until the last year that there is.
    calendar.MAXYEAR = begin.year + int((away + length) / 365) + 1
    try:
        start = next(iter(rrulestr(text, dtstart=begin).between(begin, begin + timedelta(days=away), inc=True)), None)
    except ValueError:
        return None  # It never comes.
    if start is None:
        return None
    first = start + timedelta(seconds=round(random.choice([-0.1, 0.0, random.uniform(0, away)]) * 86_400))
    last = first + timedelta(days=length)
    match random.randrange(4):
        case 0:
            text += f";COUNT={random.choice([1, 2, 7, 50, 400])}"
        case 1:
            text += f";UNTIL={written(start + (last - start) * random.uniform(0, 1.2))}"
    # Without its zone, as dateutil compares them.
    rule = rrulestr(text.removesuffix("Z") if "UNTIL" in text else text, dtstart=start)
    found = list(islice(rule.between(first, last - timedelta(seconds=1), inc=True), 20_001))
    if len(found) > 20_000:
        return None
    return {
        "rule": text,
        "start": written(start),
        "from": written(first),
        "until": written(last),
        "starts": [written(moment) for moment in found],
    }


random = Random(int(sys.argv[1]))
cases = [made for _ in range(int(sys.argv[2])) if (made := case(random))]
json.dump(cases, sys.stdout)
