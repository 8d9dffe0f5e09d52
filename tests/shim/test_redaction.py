"""Secrets are found by name and by shape, and ordinary things survive."""

from __future__ import annotations

import time

import pytest

from sciflow_shim.redaction import REDACTED, allowed, redact, redact_environment, redact_values

# Put together here, so that no scanner of repositories takes them for real ones.
GITHUB = "ghp_" + "a1B2" * 9
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0" + ".dBjftJeZ4CVP-mB92K27uhbU"
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
BASE64 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzQQzzEXAMPLE+"
KEY_BLOCK = "-----BEGIN {0}PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc+/=\n-----END {0}PRIVATE KEY-----"

SECRETS = [
    # text, the secret in it
    ("postgresql://anna:hunter2@db.example.org:5432/x", "hunter2"),
    ("https://:s3cr3t@example.org/", "s3cr3t"),
    ("mongodb+srv://u:p@ss@host/db", "p@ss"),
    ("HTTPS://Anna:Hunter2@example.org", "Hunter2"),
    ("mysql --password=hunter2 -h db", "hunter2"),
    ("mysql --password='two words' -h db", "two words"),
    ('mysql --password="two words" -h db', "two words"),
    ("login --password hunter2", "hunter2"),
    ("login --db-passwd hunter2 --verbose", "hunter2"),
    ("login --token x1y", "x1y"),
    ("login --token=x1y", "x1y"),
    ("login --api-key abc", "abc"),
    ("login --auth-token abc", "abc"),
    ("api_key=abc", "abc"),
    ("apiKey: 'abcdefgh'", "abcdefgh"),
    ("API-KEY = abcdef", "abcdef"),
    ('{"password": "a b c", "n": 1}', "a b c"),
    ("{'client_secret': 'abcdefghij'}", "abcdefghij"),
    ("DB_PASSWORD=correct,horse;battery&staple", "horse"),
    ("password: 1234", "1234"),
    ("passphrase := open sesame", "open"),
    ("connect(user='a', password='b4tt3ry')", "b4tt3ry"),
    ("WANDB_API_KEY=" + HEX[:40], HEX[:40]),
    ("accessToken=abc123", "abc123"),
    ("aws_secret_access_key = " + BASE64, BASE64),
    ("AccountKey=" + BASE64, BASE64),
    ("signing key: " + BASE64, BASE64),
    ("encryption_key=" + HEX, HEX),
    ("encryption_key='" + HEX + "'", HEX),
    ("https://s3.example.org/x?X-Amz-Signature=" + HEX, HEX),
    ("AKIA" + "IOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    ("id ASIA" + "IOSFODNN7EXAMPLE.", "IOSFODNN7EXAMPLE"),
    (GITHUB, GITHUB),
    ("https://" + GITHUB + "@github.com/a/b", GITHUB),
    ("gho_" + "a1B2" * 9, "a1B2"),
    ("github_pat_" + "a1B2_" * 9, "a1B2"),
    ("glpat-" + "a1B2-" * 5, "a1B2"),
    ("hf_" + "a1B2" * 9, "a1B2"),
    ("xoxb-" + "123456789012-abcdef", "123456789012"),
    ("AIza" + "SyD3" * 8 + "abc", "SyD3"),
    ("sk-" + "proj-a1B2c3D4e5F6g7H8", "a1B2"),
    (JWT, "eyJzdWIi"),
    ("Authorization: Bearer abc.def-ghi", "abc.def"),
    ("curl -H 'authorization: Basic dXNlcjpwYXNz' x", "dXNlcjpwYXNz"),
    ('{"Authorization": "opaque1"}', "opaque1"),
    ("sent Bearer abcdef012345", "abcdef012345"),
    (KEY_BLOCK.format("RSA "), "MIIEpAIBAAKCAQEA7"),
    (KEY_BLOCK.format("OPENSSH "), "MIIEpAIBAAKCAQEA7"),
    ("cut off " + KEY_BLOCK.format("")[:50], "MIIEpAIB"),
    ("https://" + "a1B2c3D4" * 4 + "@dev.example.org/repo.git", "a1B2c3D4"),
    ("https://" + HEX[:32] + "@sentry.example.org/17", HEX[:32]),
    ("git clone https://x-access-token:" + "abc@github.com/a/b", "abc"),
    ("https://hooks.slack.com/services/" + "T0000/B0000/abcDEF", "abcDEF"),
    ("https://discord.com/api/webhooks/12345/" + "abc-DEF_1", "abc-DEF_1"),
    ("https://x.blob.core.windows.net/c?sv=2022&sig=" + "abc%2Fdef%2Bghi0123%3D", "def%2Bghi"),
    ("sk_live_" + "a1B2" * 6, "a1B2"),
    ("rk_test_" + "a1B2" * 6, "a1B2"),
    ("dapi" + HEX[:32], HEX[:32]),
    ("dop_v1_" + HEX, HEX),
    ("ya29." + "a0Af_" * 8, "a0Af_"),
    ("SG." + "abcd1234" * 2 + "." + "efgh5678" * 5, "efgh5678"),
    ("npm_" + "a1B2" * 9, "a1B2"),
    ("r8_" + "a1B2" * 9, "a1B2"),
    ("AGE-SECRET-KEY-1" + "QQPZRY9X8" * 5, "QQPZRY9X8"),
    ("sshpass -p hunter2 ssh node", "hunter2"),
    ("sshpass -p 'hunter2' ssh node", "hunter2"),
    ("mysql -u anna -phunter2 study", "hunter2"),
    ("mysqldump -phunter2 study", "hunter2"),
    ("curl -s -u anna:hunter2 https://example.org", "hunter2"),
    ("curl --user 'anna:hunter2' https://example.org", "hunter2"),
    ("CREATE USER anna IDENTIFIED BY 'hunter2'", "hunter2"),
    ("machine example.org login anna password hunter2", "hunter2"),
    ("Server=db;Uid=anna;Pwd=hunter2;", "hunter2"),
    ("MYSQL_PWD=hunter2 mysqldump study", "hunter2"),
    ("DB_PASS=hunter2", "hunter2"),
    ("smtp_pass: hunter2", "hunter2"),
    ("Cookie: session=abcdef; theme=dark", "abcdef"),
    ("< Set-Cookie: sid=abcdef; HttpOnly", "abcdef"),
    ('"{\\"password\\": \\"hunter2\\"}"', "hunter2"),
    ("requests.get(url, auth=('anna', 'x'), headers={'X-Api-Key': 'abcdefgh1'})", "abcdefgh1"),
    ("--wandb-token=" + "abc", "abc"),
    ("python train.py --db-password hunter2 --n 3", "hunter2"),
    ("KeyError: 'x' in {'api_token': 'abcdefgh1'}", "abcdefgh1"),
    ("Traceback: connect('postgres://anna:hunter2@db/x')", "hunter2"),
    ('os.environ["HF_TOKEN"] = "horsebattery"', "horsebattery"),
    ("config['password'] = 'hunter2'", "hunter2"),
    ('os.environ.setdefault("API_KEY", "abc")', "abc"),
    ('os.getenv("DB_PASS", "hunter2")', "hunter2"),
    ("Sys.setenv('HF_TOKEN', 'abc')", "abc"),
    ('TOKEN: str = "horsebattery"', "horsebattery"),
    ('password: str | None = "hunter2"', "hunter2"),
    ('let password: &str = "hunter2";', "hunter2"),
    ('password = """hunter2"""', "hunter2"),
    ("password = ('hunter2')", "hunter2"),
    ("password = b'hunter2'", "hunter2"),
    ('password = (b"hunter2")', "hunter2"),
    ('parser.add_argument("--password", default="hunter2")', "hunter2"),
    ('@click.option("--api-token", "-t", type=str, default="horse")', "horse"),
    ("<password>hunter2</password>", "hunter2"),
    ("<db:dbPassword>hunter 2</db:dbPassword>", "hunter 2"),
    ("<token>a1b2c3d4e5f6g7h8i9</token>", "a1b2c3d4e5f6g7h8i9"),
    ('<add key="password" value="hunter2"/>', "hunter2"),
    ("setenv DB_PASSWORD hunter2", "hunter2"),
    ("ENV DB_PASS hunter2", "hunter2"),
    ("set -gx HF_TOKEN abc", "abc"),
    ("password: |\n  hunter2\n  horse\nx: 1", "horse"),
    ("SLURM_JWT=abcdef", "abcdef"),
    ("wget https://x.example.org/f?access_token=abc", "abc"),
    ("//registry.example.org/:_authToken=abc", "abc"),
    ("DB_PASSWORD ?= hunter2", "hunter2"),
    ("password=$ecret", "$ecret"),
]

ORDINARY = [
    "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    HEX + "  data/run-1.h5",
    "sha256:" + HEX,
    "digest=" + HEX,
    "550e8400-e29b-41d4-a716-446655440000",
    "run id: 550e8400-e29b-41d4-a716-446655440000",
    "/scratch/users/anna/password_study/key/token/out.txt",
    "--bind /etc/passwd:/etc/passwd:ro",
    "gcc/12.2.0:openmpi/4.1.5-GCC-12.2.0:Python/3.11.3",
    "T=2.269 L=64 seed=17 energy=-1.7432e+00",
    "12345678901234567890",
    "http://localhost:8080/a@b",
    "ssh://git@github.com/anna/repo.git",
    "git@github.com:anna/repo.git",
    "https://example.org/a?page=2&sort=asc",
    "rsync -a anna@host:/data /scratch",
    "PWD=/home/anna",
    "max_tokens=4096 --max-tokens 4096 tokens: 512",
    "pad_token=0 eos_token='</s>' per_token: 0.123456789",
    "SyntaxError: unexpected token: identifier",
    "python -m tokenize secrets.py",
    "Token indices sequence length is longer than 512",
    "key: temperature",
    "keys=3 keyword=red monkey=banana hockey: 3",
    "KeyError: 'password'",
    "KeyError: 'token'",
    "Enter password:\nwelcome",
    "authors: Anna, Bob",
    "auth=kerberos",
    "cookie: yes",
    "primary_key=id",
    "the bearer of this letter",
    "task-2024-08-01-with-a-rather-long-name",
    "sk-learn-contrib-with-a-long-name",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB anna@host",
    "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
    "fpu vme de pse tsc msr pae sse4_2 avx512_vnni",
    "AMD EPYC 7742 64-Core Processor",
    "gcc (Debian 12.2.0-14+deb12u1) 12.2.0",
    "",
    "gcc -pthread -p main.c",
    "docker run -u 1000:1000 -p 8080:80 image",
    "rsync -u anna:data .",
    "mysql --port 3306 --user anna study",
    "low_pass=0.1 band_pass: 3 n_pass=2 bypass=1",
    "pass 3 of 5: loss=0.1",
    "pwd=/scratch/anna",
    "user id=17; pwd",
    "https://a-rather-long-user-name-here@example.org/x",
    "https://example.org/services/T0000/B0000/x",
    "token_type_ids=[0, 1] n_tokens=5",
    "Set-Cookie was ignored",
    "tasks_live_longer_than_their_parents_in_general",
    "dapibus ac facilisis in egestas eget quam",
    "glassy-carbon-electrodes-are-described-here",
    "gh-pages-of-the-project-are-built-elsewhere",
    "login node password policy",
    "machine learning login",
    "compass=12 PASSED 3 tests, passes=4",
    "hash: " + HEX,
    "Currently Loaded Modules:\n  1) gcc/12.2.0   2) openmpi/4.1.5   3) fftw/3.3.10",
    "ModuleNotFoundError: No module named 'keyring'",
    "ValueError: keys must be str, int, float, bool or None, not tuple",
    "primary key: id, foreign key: run_id",
    "sigma=0.1 signature=(x, y) design=abc",
    "author: Anna, authentication: none",
    "secret_key: ${ENV} password=$PASSWORD token=$(cat ~/token)",
    "login --password $DB_PASSWORD --token '${TOKEN}'",
    "pip install password==1.0",
    'if config["password"] == "x":',
    "<password>${env.PASSWORD}</password>",
    "<token>Haus</token><token>word2vec</token>",
    "<tokens>[redacted]</tokens>",
    '{"password", "user"} ["token", "horse"]',
    'config.get("token", "none") set token value',
    "set password policy, env password unset",
    "add_argument('--tokenizer', default='bert')",
    "password: |",
]

KNOWN = """
    PATH LANG LC_ALL OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS CUDA_VISIBLE_DEVICES CUDA_HOME SLURM_JOB_ID
    PBS_JOBID MODULEPATH LOADEDMODULES CONDA_PREFIX VIRTUAL_ENV HOME USER SHELL TMPDIR SCIFLOW_RUN
"""

UNKNOWN = """
    SSH_AUTH_SOCK WANDB_API_KEY AWS_SECRET_ACCESS_KEY MY_VARIABLE PATHS BASH_FUNC_module SLURM_JWT SLURM_SPANK_TOKEN
    PBS_JOBCOOKIE CONDA_TOKEN SCIFLOW_PASSWORD path
"""


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_secret_is_replaced(text: str, secret: str) -> None:
    """What looks like a secret does not come through, and that something was there is said."""
    assert secret in text
    assert secret not in redact(text)
    assert REDACTED in redact(text)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_survives(text: str) -> None:
    """What is no secret stays byte for byte."""
    assert redact(text) == text


@pytest.mark.parametrize(("text", "_"), SECRETS)
def test_redacting_twice_changes_nothing_more(text: str, _: str) -> None:
    """A redacted text is not redacted further."""
    assert redact(redact(text)) == redact(text)


def test_what_is_around_a_secret_stays() -> None:
    """Host, user and the other options can still be read."""
    assert redact("postgresql://anna:x@db/y") == f"postgresql://anna:{REDACTED}@db/y"
    assert redact("mysql --password=x -h db") == f"mysql --password={REDACTED} -h db"
    assert redact("a --token x -v") == f"a --token {REDACTED} -v"
    assert redact('{"password": "a b", "n": 1}') == f'{{"password": "{REDACTED}", "n": 1}}'


def test_long_texts_are_read_in_linear_time() -> None:
    """A long text without a space is no trap for the expressions."""
    for text in ("a" * 100_000, "a-" * 50_000, "://" * 30_000, "key" * 30_000, "0f" * 50_000, "eyJ" * 30_000):
        began = time.process_time()
        redact(text)
        assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "name",
    KNOWN.split(),
)
def test_known_variables_are_allowed(name: str) -> None:
    """What says how a program ran is kept."""
    assert allowed(name)


@pytest.mark.parametrize(
    "name",
    UNKNOWN.split(),
)
def test_unknown_and_secret_variables_are_not_allowed(name: str) -> None:
    """What is not on the list is not kept, and neither is a listed one that speaks of a secret."""
    assert not allowed(name)


def test_environment_is_redacted_by_list_name_and_shape() -> None:
    """Only listed variables come through; an extra one with a secret name is redacted, any value by its shape."""
    environ = {
        "PATH": "/usr/bin",
        "OTHER": "x",
        "WANDB_API_KEY": "short",
        "WANDB_MODE": "offline",
        "SLURM_JWT": JWT,
        "PBS_O_HOST": "https://u:p4ss@h/",
        "MINE": "1",
    }
    assert redact_environment(environ, extra=("MINE", "WANDB_*")) == {
        "MINE": "1",
        "PATH": "/usr/bin",
        "PBS_O_HOST": f"https://u:{REDACTED}@h/",
        "WANDB_API_KEY": REDACTED,
        "WANDB_MODE": "offline",
    }
    assert redact_environment({"OTHER": "x"}) == {}


def test_values_of_secret_variables_go_from_a_text() -> None:
    """Those that are secrets by their names; names of models, paths and short values stay."""
    environ = {
        "MY_DB_PASSWORD": "correct horse",
        "API_KEY": "short",
        "TOKENIZER": "bert-base",
        "X_TOKEN": "/run/x/token",
    }
    text = "no access with 'correct horse' short bert-base /run/x/token password=x"
    assert (
        redact_values(text, environ) == f"no access with '{REDACTED}' short bert-base /run/x/token password={REDACTED}"
    )
