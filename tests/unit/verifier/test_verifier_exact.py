"""Numbers and words without sympy."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maspo.verifier.exact import MAX_NUMBER_CHARS, compare, quantity
from maspo.verifier.text import clean
from maspo.verifier.units import split_unit

integers = st.integers(-(10**30), 10**30)
fractions = st.fractions(max_denominator=10**6)


def value(text: str) -> Fraction | None:
    number = quantity(clean(text))
    return number.value if number else None


def latex(fraction: Fraction) -> str:
    sign = "-" if fraction < 0 else ""
    return f"{sign}\\frac{{{abs(fraction.numerator)}}}{{{fraction.denominator}}}"


@given(integers)
def test_an_integer_is_itself_in_every_spelling(number):
    spellings = [f"{number}", f"{number:,}", f"${number}$", f" {number}. ", f"{number}.00"]
    spellings += [f"{number:,}".replace(",", "{,}"), f"{number:,}".replace(",", "\\,")]
    assert {value(text) for text in spellings} == {Fraction(number)}


@given(fractions)
def test_a_fraction_is_itself_in_every_spelling(fraction):
    spellings = [latex(fraction), f"{fraction.numerator}/{fraction.denominator}"]
    spellings += [latex(fraction).replace("frac", "dfrac"), f"${latex(fraction)}$."]
    assert {value(text) for text in spellings} == {fraction}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-1e9, max_value=1e9))
def test_a_decimal_equals_its_fraction(decimal):
    assert value(f"{decimal:f}") == Fraction(decimal)
    assert compare(clean(f"{decimal:f}"), clean(latex(Fraction(decimal)))) is True


@given(st.integers(1, 999), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_mixed_number_is_a_sum(whole, top, low):
    expected = whole + Fraction(top, low)
    assert value(f"{whole}\\frac{{{top}}}{{{low}}}") == expected
    assert value(f"-{whole} {top}/{low}") == -expected


@given(st.integers(0, 999), st.text("0123456789", min_size=1, max_size=5))
def test_a_repeating_decimal_is_a_fraction(whole, cycle):
    expected = whole + Fraction(int(cycle), 10 ** len(cycle) - 1)
    assert value(f"{whole}.\\overline{{{cycle}}}") == expected


@given(st.integers(1, 10**6), st.integers(-300, 300))
def test_scientific_notation(mantissa, exponent):
    expected = Fraction(mantissa) * Fraction(10) ** exponent
    assert value(f"{mantissa}e{exponent}") == expected
    assert value(f"{mantissa} \\times 10^{{{exponent}}}") == expected


@given(fractions, fractions)
def test_comparison_is_equality_and_symmetric(left, right):
    assert compare(latex(left), latex(right)) is compare(latex(right), latex(left))
    assert compare(latex(left), latex(right)) is (left == right)


@given(st.text(max_size=40))
def test_any_text_equals_itself_unless_hidden_and_never_raises(text):
    cleaned = clean(text)
    assert compare(cleaned, cleaned) in (True, False)
    assert clean(cleaned + " ") == clean(clean(cleaned + " ")) or "$" in text or "\\" in text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_float_is_read_exactly(number):
    text = repr(number)
    assert value(text) == Fraction(Decimal(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1_000",
        "0x10",
        "١٢",
        "１２",
        "1e9999",
        "--1",
        "1.2.3",
        "2 3",
        "1,23",
        "\\frac10",
        "nan",
    ],
)
def test_what_is_no_number(text):
    assert value(text) is None


def test_long_digits_are_not_converted():
    assert value("9" * MAX_NUMBER_CHARS) is not None
    assert value("9" * (MAX_NUMBER_CHARS + 1)) is None


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        (r"5\text{ cm}", "cm"),
        ("5 cm", "cm"),
        (r"15\mbox{ cm}^2", "cm2"),
        (r"30^\circ", "degree"),
        ("30 degrees", "degree"),
        ("5", ""),
        ("5 million", ""),
        ("2t", ""),
        (r"5\text{ or six}", ""),
        (r"\text{Evelyn}", ""),
        (r"864\text{ square inches}", "in2"),
        (r"864 \mathrm{in}^2", "in2"),
        (r"864\text{ inches squared}", "in2"),
        (r"5\,\mathrm{kg\,m^2\,s^{-2}}", "kg m2 s-2"),
        (r"5\text{ kg}\cdot\text{m}^2/\text{s}^2", "kg m2 s-2"),
        (r"60\frac{\text{km}}{\text{h}}", "h-1 km"),
        ("60 km/h", "h-1 km"),
        (r"25^\circ\text{C}", "celsius"),
        (r"5\mathrm{m}", ".m"),
        (r"5\text{ m}", "m"),
        (r"5\mathrm{i}", ""),
        (r"5\text{ thirds}", ""),
        (r"5\text{ cm or so}", ""),
        (r"5\text{ squared}", ""),
        (r"\sin 30^\circ", ""),
    ],
)
def test_units(text, unit):
    assert split_unit(clean(text))[1] == unit


def test_units_must_not_contradict():
    assert compare("5 cm", "5") is True
    assert compare("5 cm", r"5\text{ mm}") is False
    assert compare(r"\$5", r"5\text{ cents}") is False
