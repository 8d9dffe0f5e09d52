"""What must not be kept: which environment variables are recorded at all, and secrets within any text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

REDACTED = "[redacted]"

# A list of what is allowed, not of what is forbidden: nobody knows the names of all secrets. Compiled when it is used:
# most array indices find their environment captured.
ALLOWED = r"""
    PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LANGUAGE
    |LD_LIBRARY_PATH|LD_PRELOAD|LIBRARY_PATH|CPATH|MODULEPATH|LOADEDMODULES|_LMFILES_
    |CC|CXX|FC|F77|F90|CFLAGS|CXXFLAGS|FFLAGS|FCFLAGS|CPPFLAGS|LDFLAGS
    |PYTHONPATH|PYTHONHOME|PYTHONHASHSEED|PYTHONNOUSERSITE|PYTHONUNBUFFERED|VIRTUAL_ENV
    |APPTAINER_CONTAINER|APPTAINER_NAME|SINGULARITY_CONTAINER|SINGULARITY_NAME
    |(NVIDIA|ROCR|HIP)_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ZE_AFFINITY_MASK
    |JULIA_NUM_THREADS|JULIA_PROJECT|JULIA_DEPOT_PATH|R_LIBS|R_LIBS_USER|R_HOME
    |(LC|OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|NUMEXPR|VECLIB|CUDA|NCCL|OMPI|I_MPI|MPICH|UCX|FI|HDF5)_\w+
    |(SLURM|PBS|CONDA|SCIFLOW)_\w+
"""
SENSITIVE_NAMES = """
    KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|(?<![A-Z])PASS(?![A-Z])|MYSQL_PWD|CREDENTIAL|AUTH|COOKIE|JWT|SIGNATURE
"""
_SURELY = "TOKEN(?!I)|SECRET|PASSWORD|PASSWD|PASSPHRASE|(?<![A-Z])PASS(?![A-Z])|MYSQL_PWD|JWT|(API|ACCESS)_?KEY"
_SHORTEST_VALUE = 8  # characters of a value that is looked for by itself
SHORTEST = 7  # characters that hold a secret and say so: `token=x`

_PASSWORDS = (
    r"password|passwd|passphrase|passcode|mysql_pwd|"
    r"(?:db|sql|smtp|ftp|imap|mail|redis|admin|root|proxy|http|login)_pass"
)
# The tokens of language models and parsers are no secrets: `pad_token=0`.
_TOKENS = (
    r"(?<!pad[_-])(?<!eos[_-])(?<!bos[_-])(?<!unk[_-])(?<!sep[_-])(?<!cls[_-])(?<!mask[_-])(?<!per[_-])"
    r"(?<!unexpected )token|secret|api[_-]?key|jwt|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key"
)
_NAME = r"(?<![\w/.-])[\w.-]*?"
# With a backslash where JSON stands within JSON; three of them, or with a letter and a bracket before, in programs.
_QUOTE = r"""(?:(?:\((?=[ \t]*[rbuf]{0,2}(?:"[^"\n]*"|'[^'\n]*')\)))?[ \t]*[rbuf]{0,2}(?:\"{3}|'{3}|["'])|\\?["'])?"""
# A bracket before, where it is in a mapping; a type before, which is none of the secret.
_TYPE = r"""[ \t]*[\w.&|\[\], ]{1,40}=[ \t]*\(?[rbuf]{0,2}["']"""
_EQUALS = rf"""(?:["']?])?[ \t]*(?::(?={_TYPE})[^=\n]{{1,44}}=|[?+:]?=>?(?!=))[ \t]*{_QUOTE}"""
_COLON = rf"""[ \t]*:(?!=|{_TYPE})[ \t]*{_QUOTE}"""
_IS = rf"""(?:\\?["'])?(?:{_EQUALS}|{_COLON})"""
# After an opening quote up to the closing one, else up to the next space or quote; not what is redacted already, nor
# what stands for a variable: `${TOKEN}`.
_NOT = (
    r"""(?!\[redacted]|[|>][-+0-9]{0,2}[ \t]*(?:\n|\Z)|\\["']|"""
    r"""\$(?:\{[\w.:-]*\}|(?-i:[A-Z_]+)|\([^()\n]*\))(?:[\s"',;&)<\\]|\Z))"""
)
_QUOTED = r"""(?:(?<=")[^"\n]{%s}|(?<=')[^'\n]{%s}|(?!\(?[ \t]*[rbuf]{1,2}["']|\([ \t]*["'])[^\s"']{%s})"""
_VALUE = _NOT + _QUOTED.replace("%s", "1,")
_LONG_VALUE = _NOT + _QUOTED.replace("%s", "8,")
_RANDOM_VALUE = (
    r"""(?:[0-9a-fA-F]{32,}(?![0-9a-zA-Z])|"""
    r"""(?=[^\s"']*[0-9])(?=[^\s"']*[a-z])(?=[^\s"']*[A-Z])[A-Za-z0-9+/_-]{20,}={0,2})"""
)
_SECRET = rf"(?:{_PASSWORDS}|{_TOKENS})"
_A_PASSWORD = ("pass", "mysql_pwd")
_A_TOKEN = ("token", "secret", "key", "jwt")
_PREFIXED = r"gh[pousr]_|github_pat_|gl[a-z]{2,5}-|hf_|npm_|pypi-|[rsp]k_(?:live|test)_|dop_v1_|dapi|ya29\.|SG\.|r8_"
_PREFIXES = (
    "gh",
    "github_pat_",
    "gl",
    "hf_",
    "npm_",
    "pypi-",
    "k_live_",
    "k_test_",
    "dop_",
    "dapi",
    "ya29.",
    "sg.",
    "r8_",
)

# Of each shape: parts, in small letters, without one of which no text has it (those are looked for much faster); what
# stands before the secret as group 1 (empty for those that are known by themselves), and the secret.
_SHAPES: tuple[tuple[tuple[str, ...], str, int], ...] = (
    (
        ("private key",),
        r"()-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)",
        re.DOTALL,
    ),
    (("://",), r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)[^\s/]+(?=@)", re.IGNORECASE),
    (("://",), rf"(\b[a-zA-Z][a-zA-Z0-9+.-]{{0,30}}://)(?=[^\s/:@]{{20,400}}@){_RANDOM_VALUE}(?=@)", 0),
    (("hooks.slack.com",), r"(\bhooks\.slack\.com/(?:services|workflows)/)[\w/]+", re.IGNORECASE),
    (("/api/webhooks/",), r"(\bdiscord(?:app)?\.com/api/webhooks/[0-9]+/)[\w-]+", re.IGNORECASE),
    (("sig=",), r"""([?&;]sig=)[^\s&"']{16,}""", re.IGNORECASE),
    (("akia", "asia"), r"()\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", 0),
    (
        _PREFIXES,
        rf"()\b(?:{_PREFIXED})(?=[A-Za-z_.-]*[0-9])[A-Za-z0-9_.-]{{20,}}",
        0,
    ),
    (("age-secret-key",), r"()\bAGE-SECRET-KEY-1[0-9A-Z]{20,}", 0),
    (("xox",), r"()\bxox[a-z]-[A-Za-z0-9-]{8,}", 0),
    (("aiza",), r"()\bAIza[0-9A-Za-z_-]{35}", 0),
    (("sk-",), r"()\bsk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}", 0),
    (("eyj",), r"()\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?", 0),
    (
        ("authorization",),
        r"""(\bauthorization["']?[ \t]*[:=][ \t]*["']?(?:(?:basic|bearer|negotiate|token)[ \t]+)?)[^\s"']+""",
        re.IGNORECASE,
    ),
    (("cookie",), r"""(\b(?:set-)?cookie:[ \t]*)(?=[\w.-]+=)[^\n"']+""", re.IGNORECASE),
    (("bearer",), r"(\bBearer[ \t]+)[A-Za-z0-9._~+/=-]{6,}", 0),
    (("sshpass",), r"""(\bsshpass[ \t]+-p[ \t]*["']?)[^\s"']+""", 0),
    (("mysql", "mariadb"), r"""(\b(?:mysql|mariadb)\w*[ \t](?:[^\n|;&]{0,400}?[ \t])?-p["']?)[^\s"'-][^\s"']*""", 0),
    (
        ("curl", "wget"),
        r"""(\b(?:curl|wget)[ \t](?:[^\n|;]{0,400}?[ \t])?(?:-u|--user|--proxy-user)[ =]?["']?[^\s:"']+:)[^\s"']+""",
        0,
    ),
    (("identified by",), r"""(\bidentified by ["'])[^"'\n]+""", re.IGNORECASE),
    (("password",), r"(\bmachine\s+\S+\s+login\s+\S+\s+password\s+)\S+", 0),  # in ~/.netrc
    (("pwd=",), r"""(\b(?:uid|user id)=[^;\n]{0,200};[ \t]*pwd=)[^;\s"']+""", re.IGNORECASE),
    (
        (*_A_PASSWORD, *_A_TOKEN),
        rf"""(--(?:[a-z0-9]+[_-])*?{_SECRET}[ \t]+["']?)(?!-){_VALUE}""",
        re.IGNORECASE,
    ),
    (_A_PASSWORD, rf"({_NAME}(?:{_PASSWORDS})\d*{_IS}){_VALUE}", re.IGNORECASE),
    (_A_TOKEN, rf"""({_NAME}(?:{_TOKENS})\d*(?:\\?["'])?{_EQUALS}){_VALUE}""", re.IGNORECASE),
    (_A_TOKEN, rf"""({_NAME}(?:{_TOKENS})\d*(?:\\?["'])?{_COLON}){_LONG_VALUE}""", re.IGNORECASE),
    # Over lines, as in YAML.
    (
        ("pass",),
        rf"({_NAME}(?:{_PASSWORDS})[ \t]*:[ \t]*[|>][-+0-9]{{0,2}}[ \t]*\n([ \t]+))(?=\S){_NOT}[^\n]+(?:\n\2[^\n]+)*",
        re.IGNORECASE,
    ),
    # What sets variables of the environment, and what has them by default.
    (
        ("setenv", "env", "set -", "arg"),
        rf"""(\b(?:setenv|ENV|ARG|set(?:[ \t]+-\w+)+)[ \t]+\w*(?i:{_SECRET})\d*[ \t]+["']?){_VALUE}""",
        0,
    ),
    (
        (*_A_PASSWORD, *_A_TOKEN),
        r"""((?:setdefault|(?:set|put|get)env|environ\.get)\([ \t]*["']"""
        rf"""{_NAME}{_SECRET}["'],[ \t]*["']){_VALUE}""",
        re.IGNORECASE,
    ),
    (
        ("--",),
        rf"""(--(?:[a-z0-9]+[_-])*?{_SECRET}["'][^\n()]{{0,200}}?\bdefault[ \t]*=[ \t]*["']){_VALUE}""",
        re.IGNORECASE,
    ),
    # Elements and attributes of XML.
    (_A_PASSWORD, rf"(<[\w.:-]*?(?:{_PASSWORDS})>)(?=[^<\n]+</){_NOT}[^<\n]+", re.IGNORECASE),
    (_A_TOKEN, rf"(<[\w.:-]*?(?:{_TOKENS})>)(?=[^<\n]*[0-9])(?=[^<\n]*[a-z]){_NOT}[^\s<]{{16,}}(?=</)", re.IGNORECASE),
    ((*_A_PASSWORD, *_A_TOKEN), rf"""(["']{_NAME}{_SECRET}["'][ \t]+value=["']){_VALUE}""", re.IGNORECASE),
    # Any case matters in the value but not in the name.
    (
        ("key", "auth", "cookie", "credential", "sig"),
        rf"({_NAME}(?i:key|auth|cookie|credentials?|signature|sig){_IS}){_RANDOM_VALUE}",
        0,
    ),
)


def allowed(name: str) -> bool:
    """Say whether an environment variable may be recorded."""
    return bool(re.fullmatch(ALLOWED, name, re.VERBOSE)) and not _is_secret(name)


def redact(text: str) -> str:
    """Replace what looks like a secret.

    Parameters
    ----------
    text
        Any text: a command line, a traceback, a value.

    Returns
    -------
    str
        The text with `[redacted]` where a password or token was. Digests, paths, UUIDs and numbers stay as they are.
    """
    if len(text) < SHORTEST:
        return text
    searched = text.lower()
    for parts, shape, flags in _SHAPES:
        if any(part in searched for part in parts):
            text = re.sub(shape, rf"\1{REDACTED}", text, flags=flags)
    return text


def redact_values(text: str, environ: Mapping[str, str]) -> str:
    """Replace what looks like a secret, and the values of variables that surely are secrets by their names."""
    for name, value in environ.items():
        is_long = len(value) >= _SHORTEST_VALUE and not value.startswith(("/", "~", "."))
        if is_long and value in text and re.search(_SURELY, name, re.IGNORECASE | re.VERBOSE):
            text = text.replace(value, REDACTED)
    return redact(text)


def redact_environment(environ: Mapping[str, str], extra: Iterable[str] = ()) -> dict[str, str]:
    """Take from environment variables what may be recorded.

    Parameters
    ----------
    environ
        The variables.
    extra
        Names to take besides the allowed ones; `NAME*` stands for all that begin with NAME. A value whose name
        speaks of a secret is replaced all the same.

    Returns
    -------
    dict
        Name → value, sorted by name.
    """
    return redact_named(environ, [name for name in environ if allowed(name)] + list(extra))


def redact_named(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Take from environment variables those that are named, as `redact_environment` does."""
    exact = frozenset(names)
    prefixes = tuple(name[:-1] for name in exact if name.endswith("*"))
    kept = (name for name in sorted(environ) if name in exact or name.startswith(prefixes))
    return {name: REDACTED if _is_secret(name) else redact(environ[name]) for name in kept}


def _is_secret(name: str) -> bool:
    return bool(re.search(SENSITIVE_NAMES, name, re.IGNORECASE | re.VERBOSE))
