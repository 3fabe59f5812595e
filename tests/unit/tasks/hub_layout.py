"""Parquet files in the layout that the hub's data sets have, built from a few problems."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

BEFORE = (
    "Solve the following math problem step by step. The last line of your response should be of "
    "the form Answer: $Answer (without quotes) where $Answer is the answer to the problem.\n\n"
)
BEHIND = '\n\nRemember to put your answer on its own line after "Answer:".'
SCHEMA = pa.schema(
    [
        ("data_source", pa.string()),
        ("prompt", pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))),
        ("ability", pa.string()),
        ("reward_model", pa.struct([("ground_truth", pa.string()), ("style", pa.string())])),
        ("extra_info", pa.struct([("index", pa.string())])),
    ]
)
DAPO = "BytedTsinghua-SIA/DAPO-Math-17k/data/dapo-math-17k.parquet"
FLOWRL = "xuekai/flowrl-data-collection/math_data/test.parquet"

LONG = (
    "A farmer walks around a square field of side ten metres and counts every fence post that "
    "stands along the northern border before the sun goes down behind the distant hills."
)
TRAINING = [  # question, answer: the third repeats the long problem of a benchmark
    ("What is $1+1$?", "2"),
    ("Compute the area of a circle of radius $2$ in units of $\\pi$.", "4"),
    (LONG + " How many posts are there?", "11"),
    ("What is  $\\left(7\\right)$ squared?", "49"),
]
TESTS = {  # data_source: question, answer
    "aime2024": [(LONG + " Find the number of posts.", "11")],
    "AIME_2025": [("Find the least prime above 100.", "101")],
    "AMC23": [("WHAT is $(7)$ squared?", "49")],
    "math500": [("Convert $(0,3)$ to polar coordinates.", "(3, \\frac{\\pi}{2})")],
    "minerva": [("What is the mass of the star?", "1.6")],
    "olympiad_bench": [("Find all $x$ with $x^2=1$.", "1, -1")],
}


def row(question, answer, source, index=0):
    """Return one row in verl's layout."""
    return {
        "data_source": source,
        "prompt": [{"content": question, "role": "user"}],
        "ability": "MATH",
        "reward_model": {"ground_truth": answer, "style": "rule"},
        "extra_info": {"index": str(index)},
    }


def write(path, rows):
    """Write rows to a Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    return path


def write_hub(folder, repeats=3, training=TRAINING, tests=TESTS):
    """Write both files below `folder`, as ``task.local_dir`` wants them; return the folder."""
    wrapped = [row(BEFORE + q + BEHIND, a, "math_dapo", i) for i, (q, a) in enumerate(training)]
    write(folder / DAPO, wrapped * repeats)
    write(folder / FLOWRL, [row(q, a, s) for s, pairs in tests.items() for q, a in pairs])
    return folder


def write_json_lines(folder, files):
    """Write rows by benchmark as ``<folder>/<name>.jsonl``; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)
    return folder


def overrides(folder, *more):
    """Return overrides of scale gpu that read the files of `write_hub`."""
    return ["scale=gpu", f"task.local_dir={folder}", "task.training.sha256=null", *more]
