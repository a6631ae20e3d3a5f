"""Reads fitted formulas out of the source, so that what is measured is what is compiled."""

import re
import struct
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?")


def only(found, what):
    if len(found) != 1:
        raise SystemExit(f"{what}: {len(found)} of them in the source, one is wanted")
    return found[0]


def texts(kind):
    folder = {"rs": "src", "wgsl": "shaders"}[kind]
    return [path.read_text() for path in sorted((ROOT / folder).rglob(f"*.{kind}"))]


def function(name, kind, holding):
    """The text of the one function of this name, in files rs or wgsl, that holds a text."""
    pattern = re.compile(rf"^( *)(?:pub(?:\(\w+\))? )?fn {name}\b.*?^\1}}", re.M | re.S)
    found = [match.group() for text in texts(kind) for match in pattern.finditer(text)]
    return only([text for text in found if holding in text], f"fn {name}")


def constant(name):
    """The value of the constant of this name in the Rust source."""
    found = [m for text in texts("rs") for m in re.findall(rf"const {name}: f64 = ([^;]*);", text)]
    return Decimal(float(only(found, f"const {name}").replace("_", "")))


def polynomials(text):
    """Coefficients of each call of `polynomial` in Rust, as f64 has them, lowest power first."""
    calls = re.findall(r"polynomial::<FMA, \d+>\(\s*[^\[]*\[(.*?)\]", text, re.S)
    lists = [[item.strip() for item in call.split(",") if item.strip()] for call in calls]
    return [[Decimal(eval(item)) for item in reversed(items)] for items in lists]


class Formula:
    """The expression of `let name = ..;` in WGSL."""

    def __init__(self, text, name):
        (expression,) = re.findall(rf"let {name} = ([^;]*);", text)
        python = NUMBER.sub(lambda match: f'number("{match.group()}")', expression)
        self.code = compile(python, "wgsl", "eval")

    def of(self, **names):
        """Its value, in the arithmetic of the named values."""
        number = type(next(iter(names.values()))).literal
        return eval(self.code, {"number": number, **names})

    def coefficients(self, **names):
        """Its exact coefficients, lowest power first, where the names are polynomials."""
        return self.of(**names).coefficients


def to_f32(x):
    """The nearest f32, as a float."""
    return struct.unpack("f", struct.pack("f", x))[0]


class Polynomial:
    """A polynomial; literals are what f32 makes of them."""

    def __init__(self, *coefficients):
        self.coefficients = [Decimal(c) for c in coefficients]

    @classmethod
    def literal(cls, text):
        return cls(to_f32(float(text)))

    def __add__(self, other):
        a, b = sorted((self.coefficients, other.coefficients), key=len)
        return Polynomial(*[x + y for x, y in zip(a, b)], *b[len(a) :])

    def __sub__(self, other):
        return self + other * Polynomial(-1)

    def __neg__(self):
        return self * Polynomial(-1)

    def __mul__(self, other):
        a, b = self.coefficients, other.coefficients
        product = [Decimal(0)] * (len(a) + len(b) - 1)
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                product[i + j] += x * y
        return Polynomial(*product)


class F32:
    """A number that is rounded to f32 after every operation, as an adapter does that fuses none.

    Operations are those of f64, whose rounding does not show: it has more than twice the digits.
    """

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = to_f32(float(value))

    literal = classmethod(lambda cls, text: cls(text))

    def __add__(self, other):
        return F32(self.value + other.value)

    def __sub__(self, other):
        return F32(self.value - other.value)

    def __neg__(self):
        return F32(-self.value)

    def __mul__(self, other):
        return F32(self.value * other.value)

    def __truediv__(self, other):
        return F32(self.value / other.value)
