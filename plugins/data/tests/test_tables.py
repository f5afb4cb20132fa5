from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gan_toolkit import DataError
from gantk_data.formats import tables
from gantk_data.formats.tables import Table, read_table
from gantk_data.meanings import Meaning, meaning_of


def written(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def meant(table: Table, **options: Any) -> Meaning:
    asked = {"label": None, "factors": None, **options}
    return meaning_of(table.columns, table.places, where="t", **asked)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "file,label,n\na.png,cat,1\nb.png,dog,2\n"),
        ("t.csv", "\ufefffile;label;n\r\na.png;cat;1\r\n\r\nb.png;dog;2"),
        ("t.tsv", "file\tlabel\tn\n./a.png\t cat\t1\nb.png\tdog\t2 \n"),
        ("t.csv", '"file","label","n"\n"a.png","cat","1"\n"b.png","dog","2"\n'),
        ("t.json", '[{"f":"a.png","label":"cat","n":1},{"f":"b.png","n":2,"label":"dog"}]'),
        ("t.json", '{"a.png":{"label":"cat","n":1},"b.png":{"label":"dog","n":2}}'),
    ],
)
def test_tables_of_every_kind_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    table = read_table(written(tmp_path, text, name))

    meaning = meant(table)

    assert table.names == ["a.png", "b.png"]
    assert meaning.classes == ("cat", "dog")
    assert meaning.labels is not None
    assert meaning.labels.tolist() == [0, 1]
    assert meaning.factors is not None
    assert meaning.factors.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    "text", ['{"labels":[["a.png",3],["b.png",12]]}', '{"a.png":3,"b.png":12}']
)
def test_labels_alone(tmp_path: Path, text: str) -> None:
    meaning = meant(read_table(written(tmp_path, text, "dataset.json")))

    assert meaning.classes == ("3", "12")
    assert meaning.factors is None


def test_quoted_cells_may_hold_anything(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, 'f,label\n"a, ""b"".png","x\ny"\nc.png,z\n'))

    assert table.names == ['a, "b".png', "c.png"]
    assert table.places[1].endswith("t.csv:4")
    assert meant(table).classes == ("x\\ny", "z")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"t\.csv: it has no row"),
        ("f,label\n", r"t\.csv: it has no row"),
        ("f\na.png\n", r"t\.csv:1: one column only"),
        ("f,a,a\n", r"t\.csv:1: two columns are named 'a'"),
        ("f,,a\n", r"t\.csv:1: a column has no name"),
        ("f,a\nx,1\ny,2,3\n", r"t\.csv:3: 3 cells, line 1 names 2 columns"),
        ("f,a\nx,1\n\ny\n", r"t\.csv:4: 1 cells, line 1 names 2 columns"),
        ("f,a\nx,1\nx,2\n", r"t\.csv:3: x has a row already, .*t\.csv:2"),
        ('f,a\nx,"1" 2\n', r"t\.csv:2: "),
        ('f,a\nx,"1\n', r"t\.csv:2: unexpected end of data"),
        (b"f,a\nx,\xff\n", r"t\.csv: it is not UTF-8"),
        (b"f,a\nx,\x00\n" * 2, r"t\.csv"),
    ],
)
def test_a_bad_csv_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        read_table(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", r"t\.json: it is no JSON"),
        ("[" * 100_000, r"t\.json: it is no JSON"),
        ("3", r"t\.json: it is neither a list"),
        ("[]", r"t\.json: it has no row"),
        ("[3]", r"t\.json: entry 1: its first key"),
        ('[{"f": 3}]', r"t\.json: entry 1: its first key"),
        ('[{"f":"a","n":1},{"f":"b"}]', r"entry 2: its columns are ; those of the first row are n"),
        ('{"a": null}', r"t\.json: a: label is null; a value is a text or a number"),
        ('{"a": [1]}', r"t\.json: a: label is \[1\]"),
        ('{"a": 1, "a": 2}', r"'a' occurs twice"),
        ('{"a": NaN}', r"NaN is no JSON"),
        ('{"labels": [["a.png"]]}', r"labels, entry 1: expected a file's name and its label"),
        (b"\xff", r"t\.json: it is no JSON"),
    ],
)
def test_a_bad_json_is_refused_with_its_entry(
    tmp_path: Path, text: str | bytes, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        read_table(written(tmp_path, text, "t.json"))


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: No such file"):
        read_table(tmp_path / "nowhere.csv")


def test_a_table_is_of_modest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_LARGEST", 8)

    with pytest.raises(DataError, match="9 bytes, the limit is 8"):
        read_table(written(tmp_path, "f,a\nx,123"))


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        ("f,age\na,1\nb,n/a\n", {}, r"t\.csv:3: age is 'n/a', but .*t\.csv:2 has '1'; mend it, or"),
        ("f,age\na,1\nb,nan\n", {}, r"t\.csv:3: age is 'nan'"),
        ("f,age\na,1\nb,1e300\n", {}, r"t\.csv:3: age is '1e300'"),
        ("f,age\na,x\n", {"factors": {"age": "continuous"}}, r"t\.csv:2: age is 'x', not a number"),
        ("f,label\na,\n", {}, r"t\.csv:2: label is empty"),
        ("f,hat\na,\nb,x\n", {}, r"t\.csv:2: hat is empty"),
        ("f,age\na,1\n", {"label": "aeg"}, r"no column is named 'aeg'; known: age; did you mean"),
        ("f,age\na,1\n", {"factors": {"x": "discrete"}}, "no column is named 'x'"),
        ("f,age\na,1\n", {"factors": {}}, "it says nothing of the images"),
    ],
)
def test_values_that_do_not_fit_are_named(
    tmp_path: Path, text: str, options: dict[str, Any], complaint: str
) -> None:
    table = read_table(written(tmp_path, text))

    with pytest.raises(DataError, match=complaint):
        meant(table, **options)


def test_a_column_of_texts_that_all_differ_is_no_factor(tmp_path: Path) -> None:
    rows = "".join(f"{number}.png,at {number}\n" for number in range(1001))
    table = read_table(written(tmp_path, f"f,url\n{rows}"))

    with pytest.raises(DataError, match=r"url has 1,001 different values.* in data\.factors"):
        meant(table)


def test_numbers_with_an_odd_text_among_them_can_be_discrete(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "f,car\na,911\nb,Beetle\nc,12\n"))

    meaning = meant(table, factors={"car": "discrete"})

    assert meaning.descriptions[0].values == ("12", "911", "Beetle")
