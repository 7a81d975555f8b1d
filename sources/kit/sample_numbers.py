"""Numbers of invented companies and persons: the right shape, the right check digits, nobody's.

A registration number is found from a running number, so that no two companies share one. A
personal number belongs to somebody born in the 1850s: valid, and older than the numbers themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

_MODULUS = 11
_NO_DIGIT = 10
_LEADING = 9
"""Choices of a leading digit: a number that is published as an integer must not begin with 0."""
_BEFORE_LAST = 9
"""Of ten digits before the check digit at most one makes it impossible, so nine are always left."""


@dataclass(frozen=True)
class CheckDigit:
    """How a register's check digit is found: weights of the digits before it, modulo 11.

    `then` are the weights of a second round where the first gives no digit; without them such a
    number is not used. `is_plain_remainder` tells the remainder itself from 11 less the remainder.
    """

    weights: tuple[int, ...]
    then: tuple[int, ...] = ()
    is_plain_remainder: bool = False

    def of(self, digits: str) -> int | None:
        """The check digit of the digits before it; None when such a number is not used."""
        for weights in filter(None, (self.weights, self.then)):
            rest = _weighed(digits, weights)
            found = rest if self.is_plain_remainder else -rest % _MODULUS
            if found != _NO_DIGIT:
                return found
        return 0 if self.then else None


def _weighed(digits: str, weights: tuple[int, ...]) -> int:
    pairs = zip(digits, weights, strict=True)
    return sum(int(digit) * weight for digit, weight in pairs) % _MODULUS


def is_valid(number: str, rule: CheckDigit) -> bool:
    """Whether the last digit of `number` (other signs left out) is its check digit."""
    digits = "".join(sign for sign in number if sign.isdigit())
    is_long_enough = len(digits) == len(rule.weights) + 1
    return is_long_enough and rule.of(digits[:-1]) == int(digits[-1])


def registration_number(shape: str, rule: CheckDigit, running: int) -> str:
    """The valid number of `shape` (`#` a digit) that belongs to `running`.

    The last `#` is the check digit, and a number never begins with 0. Two running numbers share
    none, until all of the shape are used up.
    """
    places = [place for place, sign in enumerate(shape) if sign == "#"]
    signs = list(shape)
    rest, nth = divmod(running, _BEFORE_LAST)
    for place in reversed(places[:-2]):
        leads = place == 0
        rest, found = divmod(rest, _LEADING if leads else 10)
        signs[place] = str(found + leads)
    ends = [(digit, rule.of(_digits(signs, places[-2], digit))) for digit in "0123456789"]
    last, check = [end for end in ends if end[1] is not None][nth]
    signs[places[-2]], signs[places[-1]] = last, str(check)
    return "".join(signs)


def _digits(signs: list[str], place: int, digit: str) -> str:
    """The digits before the check digit, with `digit` at `place`."""
    return "".join([sign for sign in signs[:place] if sign.isdigit()] + [digit])


_BORN = date(1856, 3, 1)
_ISIK = CheckDigit((1, 2, 3, 4, 5, 6, 7, 8, 9, 1), (3, 4, 5, 6, 7, 8, 9, 1, 2, 3), True)  # noqa: FBT003, a rule read as its three parts
_CPR = CheckDigit((4, 3, 2, 7, 6, 5, 4, 3, 2))
_FIRST = CheckDigit((3, 7, 6, 1, 8, 9, 4, 5, 2))
_SECOND = CheckDigit((5, 4, 3, 2, 7, 6, 5, 4, 3, 2))
_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_D_NUMBER = 40
"""What is added to the day of birth in a Norwegian D-number."""


def _born(running: int) -> date:
    return _BORN + timedelta(days=running * 37 % 1300)


def fodselsnummer(running: int, *, is_d_number: bool = False) -> str:
    """Eleven digits: day, month, year, a number of the 1800s (500 to 749), two check digits."""
    born = _born(running)
    day = born.day + (_D_NUMBER if is_d_number else 0)
    for individual in range(500 + running % 100, 750):
        digits = f"{day:02d}{born:%m%y}{individual}"
        first = _FIRST.of(digits)
        second = None if first is None else _SECOND.of(f"{digits}{first}")
        if second is not None:
            return f"{digits}{first}{second}"
    raise LookupError(running)  # pragma: no cover (one in six is unusable, and there are 150)


def cpr_number(running: int, *, has_hyphen: bool = True) -> str:
    """Ten digits: day, month, year, a serial number of 1858 to 1899 (5 to 8), modulus 11."""
    born = _born(running).replace(year=1858 + running % 3)
    for serial in range(500 + running % 100, 900):
        digits = f"{born:%d%m%y}{serial}"
        check = _CPR.of(digits)
        if check is not None:
            return f"{digits[:6]}{'-' if has_hyphen else ''}{serial}{check}"
    raise LookupError(running)  # pragma: no cover (as above)


def isikukood(running: int) -> str:
    """Eleven digits: 1 or 2 for somebody born in the 1800s, year, month, day, serial, check."""
    digits = f"{1 + running % 2}{_born(running):%y%m%d}{running % 1000:03d}"
    return f"{digits}{_ISIK.of(digits)}"


def henkilotunnus(running: int) -> str:
    """Eleven signs: day, month, year, `+` for the 1800s, a serial number from 002, a check sign."""
    born, serial = _born(running), f"{2 + running % 890:03d}"
    return f"{born:%d%m%y}+{serial}{_HETU[int(f'{born:%d%m%y}{serial}') % 31]}"
