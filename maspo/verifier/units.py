r"""Take units off answers: `5\text{ m/s}` is 5 and `m s-1`. Text in, text out.

Only what the table below names is a unit. Any other word may change the value (thirds, lakh,
doubled), and a single letter without a wrapper is a variable.
"""

import re
from functools import lru_cache

from maspo.verifier.text import OF_ANGLES

# One unit a line: the name that is compared, then its other spellings. Regular plurals need none.
_TABLE = """
m meter metre
cm cms centimeter centimetre
mm millimeter millimetre
km kms kilometer kilometre
nm nanometer nanometre
in inch inches
ft foot feet
yd yard
mi mile
ly light-year
s sec second
ms millisecond
min minute
h hr hour
day
week
month
yr year
g gram gramme
kg Kg kgs kilogram
mg milligram
lb pound
oz ounce
ton tonne
L l liter litre
mL ml milliliter millilitre
gal gallon
qt quart
pt pint
cup
acre
ha hectare
N newton
kN kilonewton
J joule
kJ kilojoule
eV electronvolt
keV
MeV
GeV
erg
cal calorie
kcal kilocalorie
W watt
kW kilowatt
MW megawatt
kWh
V volt
mV millivolt
amp ampere
ohm
K kelvin
Pa pascal
kPa kilopascal
MPa
atm atmosphere
bar
Hz hertz
kHz kilohertz
MHz megahertz
GHz
mol mole
rad radian
degree deg
celsius
fahrenheit
dollar
cent
euro
rupee
unit
point
person people
student
child children
man men
woman women
apple
ball
book
coin
marble
"""
_SINGLE_LETTERS = frozenset("msghLlNJWVK")  # e, i, d, x and the rest are mathematics
_COMPOUND = {"mph": "mile per hour", "kmh": "km/h", "kph": "km/h", "kmph": "km/h", "cc": "cm^3"}
_NAMES = {spelling: line.split()[0] for line in _TABLE.split("\n") for spelling in line.split()}
_PREFIXES = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_SUFFIXES = {"squared": 2, "cubed": 3, "²": 2, "³": 3}

_POWER = r" ?\^ ?(?:\{ ?-? ?\d ?\}|\d)"
_TOKEN = re.compile(
    rf"(?P<power>{_POWER}|[²³])|(?P<over>/)|(?P<word>[a-zA-Z]+(?:-year)?)"
    r"|\\cdot(?![a-zA-Z])|[ .*()-]"
)
_WRAPPED = r"\\(?:text|operatorname) ?\{(?:[^{}]|\^ ?\{ ?-? ?\d ?\})*\}"
_TAIL = re.compile(
    rf"(?: ?(?:\\cdot|/)? ?{_WRAPPED}(?:{_POWER})?)+$"
    r"|(?:(?<=[\d)}])|(?<=[\d)}a-z] ))(?P<bare>[a-zA-Z]{2,}[a-zA-Z /.^²³{}\d-]*)$"
)
_DEGREES = re.compile(
    r" ?\^ ?(?:\{ ?\\circ ?\}|\\circ) ?(?:\\text ?\{ ?(?P<text>[CF]) ?\}|(?P<letter>[CF]))?$"
)
_SCALES = {"C": "celsius", "F": "fahrenheit", None: "degree"}
_QUOTIENT = re.compile(rf"\\frac ?\{{ ?({_WRAPPED}) ?\}} ?\{{ ?({_WRAPPED}) ?\}}$")


def split_unit(text: str) -> tuple[str, str]:
    r"""Value and unit of a cleaned answer: `5\text{ cm}` gives `5` and `cm`; no unit gives ''.

    A unit is a degree sign, or words and symbols of the table at the end, wrapped as text or
    bare behind a number (then of two letters and more). Equal units have equal names, without
    conversion: `\text{ in}^2` and `square inches` are `in2`. One letter without a space before it
    may be a factor of a formula, `3\mathrm{h}`: its name is `.h`, see `compatible`.
    """
    text = _QUOTIENT.sub(r"\1/\2", text)
    degrees = _DEGREES.search(text)
    if degrees and not OF_ANGLES.search(text):  # of an angle in a function it is no unit
        value, unit = text[: degrees.start()], _SCALES[degrees["text"] or degrees["letter"]]
    else:
        tail = _TAIL.search(text)
        if not tail:
            return text, ""
        value, unit = text[: tail.start()], unit_name(tail[0])
        if len(unit) == 1 and " " not in tail[0]:
            unit = f".{unit}"
    return (value.rstrip(), unit) if unit and value.strip() else (text, "")


def compatible(unit: str, other: str) -> bool:
    """Whether two units may stand for the same: equal, or one left out that is surely a unit."""
    if not unit or not other:
        return not (unit or other).startswith(".")
    return unit.removeprefix(".") == other.removeprefix(".")


@lru_cache(maxsize=1024)
def unit_name(text: str) -> str:
    """The one name of a unit with its powers, as in `kg m2 s-2`; '' where a word is none."""
    powers: dict[str, int] = {}
    text = re.sub(r"\\(?:text|operatorname) ?\{((?:[^{}]|\^ ?\{[^{}]*\})*)\}", r" \1 ", text)
    sign, prefix, last, position = 1, 1, "", 0
    for token in _TOKEN.finditer(text):
        if token.start() != position:
            return ""
        position = token.end()
        word = token["word"] or token["power"] or ""
        if token["over"] or word == "per":
            sign = -1
        elif word in _PREFIXES:
            prefix = _PREFIXES[word]
        elif word in _COMPOUND:
            return unit_name(_COMPOUND[word]) if not powers else ""
        elif token["power"] or word in _SUFFIXES:
            if not last:
                return ""
            exponent = _SUFFIXES.get(word) or int(re.sub(r"[^-\d]", "", word))
            powers[last] += sign * (exponent - 1)
            last = ""
        elif word:
            last = _base_name(word)
            if not last:
                return ""
            powers[last] = powers.get(last, 0) + sign * prefix
            prefix = 1
    if position != len(text) or not powers:
        return ""
    return " ".join(
        name + (str(power) if power != 1 else "") for name, power in sorted(powers.items())
    )


def _base_name(word: str) -> str:
    """The table's name of one word, in singular or plural; '' where it has none."""
    if len(word) == 1:
        return _NAMES[word] if word in _SINGLE_LETTERS else ""
    low = word.casefold()
    for spelling in (word, low, low.removesuffix("s"), low.removesuffix("es")):
        if len(spelling) > 1 and spelling in _NAMES and (spelling == word or len(word) > 2):
            return _NAMES[spelling]
    return ""
