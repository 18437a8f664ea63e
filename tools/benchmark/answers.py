"""Owns when two answers to a query are the same. Knows nothing of engines.

A cell is None or a pair of kind and text: "n" an exact number, "f" a float, "t" any other text, "?" not known, as in a
CSV file, where the other side's kind decides. Engines give a quotient or an average other types: Waterbear rounds an
average of decimals to the decimals' scale as Trino does, DuckDB makes it a double, Spark adds digits. So numbers of
different kinds or scales are the same where they differ by no more than the coarser one's last digit; exact numbers of
one scale must be equal.
"""
import csv
import decimal

EXACT_CONTEXT = decimal.Context(prec=80)
# Of a double that took part in sums of some hundred thousand others.
RELATIVE = decimal.Decimal("1e-9")


def from_csv(stream):
    """Cells of a CSV file with a header line, in which NULL is empty."""
    rows = list(csv.reader(stream))
    return [[None if cell == "" else ("?", cell) for cell in row] for row in rows[1:]]


def from_psv(text):
    """Cells of an answer file: fields between bars, a header line, NULL written out."""
    lines = [line.split("|") for line in text.split("\n") if line]
    return [[None if cell == "NULL" else ("?", cell) for cell in row] for row in lines[1:]]


def same(one, other):
    if one is None or other is None:
        return one is other
    if one[1] == other[1]:
        return True
    if "t" in (one[0], other[0]):
        return False
    left, right = number(one[1]), number(other[1])
    if left is None or right is None:
        return False
    scales = [max(0, -value.as_tuple().exponent) for cell, value in ((one, left), (other, right)) if cell[0] != "f"]
    if len(scales) == 2 and scales[0] == scales[1]:
        return left == right
    tolerance = RELATIVE * max(abs(left), abs(right))
    if scales:
        tolerance += decimal.Decimal(1).scaleb(-min(scales))
    return abs(EXACT_CONTEXT.subtract(left, right)) <= tolerance


def number(text):
    """A finite number, else None."""
    try:
        value = decimal.Decimal(text)
    except decimal.InvalidOperation:
        return None
    return value if value.is_finite() else None


def difference(ours, theirs, order):
    """What differs between two answers, in words; None where they agree.

    `order` has the positions of the ORDER BY columns. Rows that agree in them may stand in any order.
    """
    if len(ours) != len(theirs):
        return f"{len(ours)} rows instead of {len(theirs)}"
    for row in ours:
        if len(row) != len(theirs[0]):
            return f"{len(row)} columns instead of {len(theirs[0])}"
    found = first_difference(ours, theirs, range(len(theirs[0])) if theirs else [])
    if found is None:
        return None
    unordered = first_difference(sorted(ours, key=sort_key(theirs)), sorted(theirs, key=sort_key(theirs)),
                                 range(len(theirs[0])))
    if unordered is not None:
        return unordered
    misplaced = first_difference(ours, theirs, order)
    return f"not ordered: {misplaced}" if misplaced else None


def first_difference(ours, theirs, columns):
    for place, (left, right) in enumerate(zip(ours, theirs)):
        for column in columns:
            if not same(left[column], right[column]):
                return f"row {place + 1}, column {column + 1}: {words(left)} instead of {words(right)}"
    return None


def words(row):
    return "|".join("NULL" if cell is None else cell[1] for cell in row)


def sort_key(reference):
    """A key that brings rows of both sides into one order: texts first, then numbers, without their last digits."""
    columns = range(len(reference[0])) if reference else []
    numeric = [c for c in columns if all(row[c] is None or number(row[c][1]) is not None for row in reference)]

    def key(row):
        texts = [(row[c] is not None, row[c][1] if row[c] else "") for c in columns if c not in numeric]
        numbers = [(row[c] is not None, float(f"{float(row[c][1]):.9g}") if row[c] else 0.0) for c in numeric]
        return texts, numbers

    return key
