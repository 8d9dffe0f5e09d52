import pytest
import tomllib

from sciflow.package.secrets.cleaning import cleaned
from sciflow.package.secrets.config import clean_config
from sciflow_shim.redaction import REDACTED

GITHUB = "ghp_" + "a1B2" * 9
TAKEN = [
    ("config.ini", "password = plantedConfigPw99", "plantedConfigPw99"),
    ("config.ini", "password = two words ; of the database", "two words"),
    ("config.ini", "db.password: hunter2", "hunter2"),
    ("config.ini", 'password="hunter 2"', "hunter 2"),
    ("config.ini", "password = $ecret", "$ecret"),
    ("config.cfg", "DB_PASS=hunter2", "hunter2"),
    ("setup.cfg", "api_key = abc", "abc"),
    ("a.conf", "export HF_TOKEN=horsebattery", "horsebattery"),
    ("a.conf", "_authToken=abc", "abc"),
    ("a.conf", "url = https://x.example.org/?access_token=abc", "abc"),
    ("a.conf", "run = mysql --password hunter2 study", "hunter2"),
    ("a.conf", "get = curl -u chen:hunter2 https://x.example.org", "hunter2"),
    ("a.properties", "spring.datasource.password=hunter2", "hunter2"),
    ("a.toml", "password = 'hunter2'", "hunter2"),
    ("a.toml", f'url = "https://{GITHUB}@github.com/a/b"', GITHUB),
    ("a.xml", "<db><password>hunter2</password></db>", "hunter2"),
    ("a.xml", '<property name="db.password" value="hunter2"/>', "hunter2"),
    ("a.xml", '<user name="a" password="hunter2"/>', "hunter2"),
    ("Makefile", "DB_PASSWORD ?= hunter2", "hunter2"),
    ("Makefile", "\tmysql --password hunter2 study < a.sql", "hunter2"),
]
KEPT = [
    ("config.ini", "password =\nuser = anna"),
    ("config.ini", "password = %(db_password)s\nsecret_key: ${ENV}\ntoken = word2vec"),
    ("config.ini", "[tokens]\nstart_token = <s>\npassword = None\nkey = temperature"),
    ("setup.cfg", "[flake8]\nignore = S105  # password"),
    ("a.conf", "password $DB_PASSWORD;\nssl_certificate_key /etc/ssl/x.pem;"),
    ("a.toml", 'tokens = ["a"]\nsecret = { env = "X" }\ntoken = "character"'),
    ("a.xml", "<token>Haus</token><password>${env.X}</password><key>temperature</key>"),
    ("Makefile", "secret: build/token.o secrets.c\ntoken: tokenizer.o\n\tcc -o token $^"),
    ("Makefile", "TOKEN := $(shell cat ~/.token)\nPASSWORD = $(X)"),
]


@pytest.mark.parametrize(("path", "line", "secret"), TAKEN)
def test_values_of_what_configures_programs_go_whole(path: str, line: str, secret: str):
    """With and without quotes; names, comments and what is around stay."""
    text = f"a = 1\n{line}\nb = 2\n"
    after, count = cleaned(f"project/{path}", text.encode(), {})
    assert count == 1
    assert after.decode() == text.replace(secret, REDACTED)
    assert cleaned(f"project/{path}", after, {}) == (after, 0)


@pytest.mark.parametrize(("path", "text"), KEPT)
def test_what_stands_for_a_secret_stays(path: str, text: str):
    """Variables, parts of texts, the targets of a Makefile, and that there is none."""
    assert clean_config(path, text) == (text, 0)


def test_toml_stays_toml():
    """Also where a number was the secret."""
    after, count = clean_config("a.toml", 'password = 12345\nx = [1, 2]\nsecret = "abc" # x\n')
    assert count == 2
    assert tomllib.loads(after) == {"password": REDACTED, "x": [1, 2], "secret": REDACTED}
