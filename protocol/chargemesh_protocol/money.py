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
    meant = [_SIGNS[code]] if code in _SIGNS else get_close_matches(code, CURRENCIES, n=1, cutoff=0.6)
    hint = f"Did you mean {meant[0]}?" if meant else "Write its ISO 4217 code, for example EUR."
    raise PersonError("bad-currency", f"There is no currency {text.strip()[:20]!r}.", hint, ExitCode.USAGE)


def parse_amount(text: str, currency: str) -> int:
    """Micro-units from "0.40" or "0.40 EUR"; another currency than `currency` is refused.

    Prices may be finer than a coin (0.395 a kWh), but not finer than a millionth.
    """
    number = text.strip()
    if number[-3:].upper() == currency:
        number = number[:-3].strip()
    try:
        return parse_decimal(number, MICRO)
    except ValueError as error:
        raise PersonError(
            "bad-amount",
            f"{text.strip()[:40]!r} is not an amount in {currency}: {error}.",
            f"Write for example 0.40 (in {currency}).",
            ExitCode.USAGE,
        ) from None


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
