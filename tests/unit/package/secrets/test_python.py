import ast

import pytest

from sciflow.package.secrets.code import clean_code
from sciflow.package.secrets.documents import clean_notebook
from sciflow.package.secrets.python import python_secrets
from sciflow_shim.redaction import REDACTED

TAKEN = [
    'os.environ["HF_TOKEN"] = "horsebattery"',
    'config["password"] = "horsebattery"',
    'os.environ.setdefault("API_KEY", "horsebattery")',
    'monkeypatch.setenv("HF_TOKEN", "horsebattery")',
    'x = os.environ.get("DB_PASSWORD", "horsebattery")',
    'HF_TOKEN: str = "horsebattery"',
    'self.password: Final[str] = "horsebattery"',
    'password = """horsebattery"""',
    'password = """\nhorsebattery\n"""',
    'password = (\n    "horsebattery"\n)',
    'password = b"horsebattery"',
    'password = "horsebattery".encode()',
    'password = "été horsebattery"',
    'password = getpass() or "horsebattery"',
    'parser.add_argument("--password", default="horsebattery")',
    'parser.add_argument(\n    "--password",\n    help="of the site",\n    default="horsebattery",\n)',
    'n, password = 3, "horsebattery"',
    'def connect(user, *, password="horsebattery"): ...',
    'run(["mysql", "--password", "horsebattery"])',
    'D = {"n": 1, "password":\n     "horsebattery"}',
]
KEPT = [
    'd = {"token": 3, "key": "x", "secret": None, "password": ""}',
    'def f(password=None, token="word", key="temperature"): ...',
    "token = get_token()",
    'tokens = ["token", "password", "user"]',
    'PAD_TOKEN: str = "[PAD]"',
    'parser.add_argument("--tokenizer", default="bert-base-uncased-2")',
    'parser.add_argument("--token", help="what the site gave you 123")',
    'run(["login", "--password", "--user", "anna", "--token", "<token>"])',
    'password = "{password}" + "..."',
    'if config["password"] == "x": ...',
    'config.get("token", "none")',
    'plot(x, key="temperature", sort_key="a1b2")',
    'tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased-2")',
]


@pytest.mark.parametrize("line", TAKEN)
def test_literals_with_names_of_secrets_go(line: str):
    """However the statement is written, and the code stays code."""
    cleaned, count = clean_code("project/a.py", f"x = 'é'\n{line}\nz = 1\n")
    assert count == 1
    assert "horsebattery" not in cleaned
    assert len(ast.parse(cleaned).body) == len(ast.parse(f"x = 'é'\n{line}\nz = 1\n").body)
    assert clean_code("project/a.py", cleaned) == (cleaned, 0)


@pytest.mark.parametrize("line", KEPT)
def test_innocent_statements_stay(line: str):
    """Parts of texts, keys of tables, gaps to be filled, and what is only named so."""
    assert clean_code("project/a.py", f"{line}\n") == (f"{line}\n", 0)


def test_what_is_in_parts_goes_in_all_of_them():
    """A literal that is written as several."""
    assert clean_code("a.py", 'password = "horse" "battery"') == (f'password = "{REDACTED}" "{REDACTED}"', 2)


def test_what_is_no_python_is_searched_by_its_lines():
    """Another Python's code, templates, and cells with lines for a shell."""
    assert python_secrets("print 'x'\npassword = 'horse'") == []
    assert clean_code("a.py", "print 'x'\npassword = 'horse'")[1] == 1
    cell = '{"cells": [{"cell_type": "code", "source": "!pip list\\npassword = (\\n\'horse\')"}]}'
    assert "horse" not in clean_notebook(cell)[0]
