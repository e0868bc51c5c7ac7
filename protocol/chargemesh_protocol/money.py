"""Money: integer micro-units (a millionth) of an ISO 4217 currency, rounded to real coins once, at a total.

Rounding is half up: an exact half goes away from zero, so that a refund mirrors its charge.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from types import MappingProxyType

from .errors import ExitCode, PersonError
from .units import format_decimal, parse_decimal

MICRO = 1_000_000
MICRO_DIGITS = 6

_TWO_DIGITS = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP "
    "GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
    "TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_OTHER_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
# ISO 4217 list one: each currency's number of minor digits. Precious metals and test codes are left out.
CURRENCIES = MappingProxyType(
    dict.fromkeys(_TWO_DIGITS.split(), 2)
    | {code: digits for digits, codes in _OTHER_DIGITS.items() for code in codes.split()}
)
_SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "$": "USD",
    "¥": "JPY",
    "₹": "INR",
    "EURO": "EUR",
    "EUROS": "EUR",
    "DOLLAR": "USD",
}


# Words for a hundredth: an amount is written in whole units.
_COINS = ("C", "CT", "CTS", "CENT", "CENTS", "P", "PENCE", "RP")
_NAMED = re.compile(r"(?P<before>[^\d.,+-]*)(?P<number>[+-]?[\d.,]*\d)(?P<after>[^\d.,]*)", re.ASCII)


def looks_like_currency(code: str) -> bool:
    """Whether `code` has the form of ISO 4217. Readers of others' listings ask no more: the list grows."""
    return bool(re.fullmatch(r"[A-Z]{3}", code, re.ASCII))


def minor_digits(currency: str) -> int:
    """Digits behind the point of `currency`'s smallest unit; ValueError if there is no such currency."""
    try:
        return CURRENCIES[currency]
    except KeyError:
        raise ValueError(f"there is no currency {currency[:8]!r} in ISO 4217") from None


def parse_currency(text: str) -> str:
    """The ISO 4217 code that a person typed, in capitals."""
    code = text.strip().upper()
    if code in CURRENCIES:
        return code
    meant = _currencies_near(code)
    hint = f"Did you mean {meant[0]}?" if meant else "Write its ISO 4217 code, for example EUR."
    raise PersonError("bad-currency", f"There is no currency {text.strip()[:20]!r}.", hint, ExitCode.USAGE)


def _currencies_near(code: str) -> list[str]:
    """What a sign or a name stands for, or a slip of the fingers: swapped letters before other ones."""
    if code in _SIGNS:
        return [_SIGNS[code]]
    swapped = [one for one in CURRENCIES if sorted(one) == sorted(code)]
    return swapped or get_close_matches(code, CURRENCIES, n=1, cutoff=0.6)


def parse_amount(text: str, currency: str) -> int:
    """Micro-units from "0.40", "0.40 EUR" or "€0.40"; another currency than `currency` is refused.

    Prices may be finer than a coin (0.395 a kWh), but not finer than a millionth.
    """
    plain = text.strip()
    named = _NAMED.fullmatch(plain)
    try:
        if named is None:
            raise ValueError("not a number")
        if named["number"].startswith("-"):
            raise ValueError("it is below zero")
        _require_currency(plain, (named["before"].strip(), named["after"].strip()), currency)
        return parse_decimal(named["number"], MICRO)
    except ValueError as error:
        raise _bad_amount(plain, f"is not an amount in {currency}: {error}", currency) from None


def _require_currency(text: str, named: tuple[str, str], currency: str) -> None:
    """PersonError unless what stands beside the number is nothing, or `currency` by code, sign or name."""
    words = [one for one in named if one]
    if not words:
        return
    if len(words) > 1:
        raise ValueError("there is something before and after the number")
    if words[0].upper() in _COINS:
        raise _bad_amount(text, f"is not in whole {currency}", currency)
    meant = _SIGNS.get(words[0].upper()) or parse_currency(words[0])
    if meant != currency:
        raise PersonError(
            "other-currency",
            f"{text[:40]!r} is in {meant}, and these prices are in {currency}.",
            f"Name the currency of all prices with --currency {meant}, or write the amount in {currency}.",
            ExitCode.USAGE,
        )


def _bad_amount(text: str, why: str, currency: str) -> PersonError:
    return PersonError(
        "bad-amount",
        f"{text[:40]!r} {why}.",
        f"Write for example 0.40 (in {currency}).",
        ExitCode.USAGE,
    )


def format_amount(micro: int, currency: str) -> str:
    """ "12.30 EUR": as many digits as the currency has, more only where the amount is finer."""
    return f"{format_decimal(micro, MICRO, CURRENCIES.get(currency, 2))} {currency}"


def format_total(micro: int, currency: str) -> str:
    """As `format_amount`, rounded to whole coins as a receipt will bill it; for sums, not for prices."""
    known = currency in CURRENCIES  # others' lists may be newer
    return format_amount(round_to_minor(micro, currency) if known else micro, currency)


def divide_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` (denominator positive) to the nearest integer, halves away from zero."""
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def minor_unit(currency: str) -> int:
    """The smallest payable amount of `currency` in micro-units (10,000 for EUR); ValueError if unknown."""
    return int(10 ** (MICRO_DIGITS - minor_digits(currency)))


def round_to_minor(micro: int, currency: str) -> int:
    """`micro` in whole minor units, half up, still counted in micro-units. For totals only."""
    unit = minor_unit(currency)
    return divide_half_up(micro, unit) * unit
