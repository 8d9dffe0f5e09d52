import ast
from pathlib import Path

import pytest

from sciflow.package.secrets.code import clean_code
from sciflow_shim.redaction import REDACTED

GITHUB = "ghp_" + "a1B2" * 9
KEPT = [
    "token = tokenizer.next()",
    "key=lambda x: x[1]",
    "rows.sort(key=lambda x: x[1], reverse=True)",
    "password = getpass('Password: ')",
    "secret = os.environ['APP_SECRET']",
    "api_key = os.getenv('API_KEY', None)",
    "headers = {'Authorization': f'Bearer {token}'}",
    "token = 'NUMBER'",
    "if token == 'PLUS':",
    "def f(token=None, secret=b, password: str = ''):",
    "print('token=%s' % token)",
    "print(f'password={password}')",
    "parser.add_argument('--token', help='what the site gave you')",
    "secret: str",
    "token: Token = self.tokens[0]",
    "x = d['password']",
    "public_key = keys[0]",
    "pad_token = '<pad>'",
    "# the token = next one",
    "for key in sorted(auth): cookie = jar[key]",
    "pooled_token = token.copy(token=pooled_token.token + token.token)",
    '""":param password: bytes\n:param str password: what opens it\n"""',
]
TAKEN = [
    ("API_KEY = 'abc-def'", "abc-def"),
    ('password = "hunter2"', "hunter2"),
    ("connect(user='a', password='b4tt3ry')", "b4tt3ry"),
    ("client = Client(token='a1b2c3d4e5')", "a1b2c3d4e5"),
    ("x = 1  # password: hunter2", "hunter2"),
    (f"token = {GITHUB!r}", GITHUB),
    (f"# {GITHUB}", GITHUB),
    ("URL = 'postgresql://anna:hunter2@db/x'", "hunter2"),
    ("D = {'password': 'hunter2', 'n': 1}", "hunter2"),
    ('"""\npassword: hunter2\n"""', "hunter2"),
]


@pytest.mark.parametrize("line", KEPT)
def test_code_that_speaks_of_secrets_stays(line: str):
    """Names, calls and placeholders are code, and no secrets."""
    assert clean_code("project/a.py", f"{line}\n") == (f"{line}\n", 0)


@pytest.mark.parametrize(("line", "secret"), TAKEN)
def test_literal_secrets_go_and_the_code_stays_code(line: str, secret: str):
    """What stands in quotes or in a comment is replaced, and the rest is as it was."""
    cleaned, count = clean_code("project/a.py", f"{line}\nz = 1\n")
    assert count >= 1
    assert secret not in cleaned
    assert cleaned.replace(REDACTED, secret) == f"{line}\nz = 1\n"
    ast.parse(cleaned)


@pytest.mark.parametrize(
    ("path", "line", "cleaned"),
    [
        ("a.sh", "export API_KEY=abc1", f"export API_KEY={REDACTED}"),
        ("a.sh", "TOKEN=$(cat ~/.token)", "TOKEN=$(cat ~/.token)"),
        ("a.sh", "curl -u anna:hunter2 https://x.org", f"curl -u anna:{REDACTED} https://x.org"),
        ("a.c", 'char *password = "hunter2"; // token = next', f'char *password = "{REDACTED}"; // token = next'),
        ("a.c", "/* password: hunter2 */", f"/* password: {REDACTED} */"),
        ("a.f90", "password = 'hunter2' ! x", f"password = '{REDACTED}' ! x"),
        ("a.R", 'api_key <- "abc"; key = f(x)', 'api_key <- "abc"; key = f(x)'),
        ("a.R", 'login(api_key = "abc")', f'login(api_key = "{REDACTED}")'),
        ("a.sh", "export HF_TOKEN=horsebattery", f"export HF_TOKEN={REDACTED}"),
        ("a.sh", "export TOKEN=${X:-y} KEY=$(a b) PAD_TOKEN=3", "export TOKEN=${X:-y} KEY=$(a b) PAD_TOKEN=3"),
        ("a.sh", "SLURM_JWT=abc mysql --password hunter2", f"SLURM_JWT={REDACTED} mysql --password {REDACTED}"),
        ("a.csh", "setenv DB_PASSWORD hunter2", f"setenv DB_PASSWORD {REDACTED}"),
        ("Dockerfile", "ENV A=1 HF_TOKEN=horse", f"ENV A=1 HF_TOKEN={REDACTED}"),
        ("Dockerfile", "ENV DB_PASSWORD hunter2", f"ENV DB_PASSWORD {REDACTED}"),
        ("a.html", "<b><password>hunter2</password></b>", f"<b><password>{REDACTED}</password></b>"),
        ("a.tex", r"\newcommand{\token}[1]{\texttt{#1}} $key = 3$", r"\newcommand{\token}[1]{\texttt{#1}} $key = 3$"),
        ("a.ts", 'const token: string = "a1b2c3d4e5";', f'const token: string = "{REDACTED}";'),
        ("a.rs", "let token: Token = lexer.next();", "let token: Token = lexer.next();"),
        ("a.jl", 'password = "hunter2" # x', f'password = "{REDACTED}" # x'),
    ],
)
def test_languages_have_their_comments(path: str, line: str, cleaned: str):
    """Shells, C, Fortran, R and Julia: literals and comments are told from code."""
    assert clean_code(path, line)[0] == cleaned


def test_the_code_of_this_library_stays_as_it_is():
    """Thousands of lines that speak of keys, tokens and passwords, and hold none."""
    root = Path(__file__).parents[4]
    for path in sorted([*root.glob("src/**/*.py"), *root.glob("examples/**/*.py")]):
        assert clean_code(str(path), path.read_text())[1] == 0, path
