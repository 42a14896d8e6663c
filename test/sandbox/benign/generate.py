"""Writes expected.json: what the real CPython 3.11 prints for every program in programs/. Run by hand after a change:

    PYTHONHASHSEED=0 python3.11 test/sandbox/benign/generate.py
"""
import json
import pathlib
import subprocess
import sys

assert sys.version_info[:2] == (3, 11), "the expected output must come from CPython 3.11"
here = pathlib.Path(__file__).parent
expected = {}
for path in sorted((here / "programs").glob("*.py")):
    for part in path.read_text().split("#### ")[1:]:
        name, code = part.split("\n", 1)
        key = f"{path.stem}: {name}"
        assert key not in expected, key
        ran = subprocess.run([sys.executable, "-s", "-"], input=code, text=True, capture_output=True, env={"PYTHONHASHSEED": "0"})
        expected[key] = {"code": code, "exit": ran.returncode, "stdout": ran.stdout, "stderr": ran.stderr}
(here / "expected.json").write_text(json.dumps(expected, indent=2, ensure_ascii=False) + "\n")
print(len(expected), "programs")
