"""What must not be kept: which environment variables are recorded at all, and secrets within any text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

REDACTED = "[redacted]"

# A list of what is allowed, not of what is forbidden: nobody knows the names of all secrets.
ALLOWED = re.compile(
    r"""
    PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LANGUAGE
    |LD_LIBRARY_PATH|LD_PRELOAD|LIBRARY_PATH|CPATH|MODULEPATH|LOADEDMODULES|_LMFILES_
    |CC|CXX|FC|F77|F90|CFLAGS|CXXFLAGS|FFLAGS|FCFLAGS|CPPFLAGS|LDFLAGS
    |PYTHONPATH|PYTHONHOME|PYTHONHASHSEED|PYTHONNOUSERSITE|PYTHONUNBUFFERED|VIRTUAL_ENV
    |APPTAINER_CONTAINER|APPTAINER_NAME|SINGULARITY_CONTAINER|SINGULARITY_NAME
    |(NVIDIA|ROCR|HIP)_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ZE_AFFINITY_MASK
    |JULIA_NUM_THREADS|JULIA_PROJECT|JULIA_DEPOT_PATH|R_LIBS|R_LIBS_USER|R_HOME
    |(LC|OMP|GOMP|KMP|MKL|OPENBLAS|BLIS|NUMEXPR|VECLIB|CUDA|NCCL|OMPI|I_MPI|MPICH|UCX|FI|HDF5)_\w+
    |(SLURM|PBS|CONDA|SCIFLOW)_\w+
    """,
    re.VERBOSE,
)
SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|AUTH|COOKIE|JWT", re.IGNORECASE)

_PASSWORDS = r"password|passwd|passphrase|passcode"
# The tokens of language models and parsers are no secrets: `pad_token=0`.
_TOKENS = (
    r"(?<!pad[_-])(?<!eos[_-])(?<!bos[_-])(?<!unk[_-])(?<!sep[_-])(?<!cls[_-])(?<!mask[_-])(?<!per[_-])"
    r"(?<!unexpected )token|secret|api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key"
)
_NAME = r"(?<![\w/.-])[\w.-]*?"
_IS = r"""["']?[ \t]*(?::=|=>?|:(?!=))[ \t]*["']?"""
# After an opening quote up to the closing one, else up to the next space or quote; not what is redacted already.
_VALUE = r"""(?!\[redacted])(?:(?<=")[^"\n]+|(?<=')[^'\n]+|[^\s"']+)"""
_LONG_VALUE = r"""(?!\[redacted])(?:(?<=")[^"\n]{8,}|(?<=')[^'\n]{8,}|[^\s"']{8,})"""
_RANDOM_VALUE = (
    r"""(?:[0-9a-fA-F]{32,}(?![0-9a-zA-Z])|"""
    r"""(?=[^\s"']*[0-9])(?=[^\s"']*[a-z])(?=[^\s"']*[A-Z])[A-Za-z0-9+/_-]{20,}={0,2})"""
)

# What stands before the secret is group 1 (empty for those that are known by themselves).
_SHAPES = (
    (r"()-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.DOTALL),
    (r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)[^\s/]+(?=@)", re.IGNORECASE),
    (r"()\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", 0),
    (r"()\b(?:gh[pousr]_|github_pat_|gl[a-z]{2,5}-|hf_|npm_|pypi-)[A-Za-z0-9_-]{20,}", 0),
    (r"()\bxox[a-z]-[A-Za-z0-9-]{8,}", 0),
    (r"()\bAIza[0-9A-Za-z_-]{35}", 0),
    (r"()\bsk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}", 0),
    (r"()\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?", 0),
    (
        r"""(\bauthorization["']?[ \t]*[:=][ \t]*["']?(?:(?:basic|bearer|negotiate|token)[ \t]+)?)[^\s"']+""",
        re.IGNORECASE,
    ),
    (r"(\bBearer[ \t]+)[A-Za-z0-9._~+/=-]{6,}", 0),
    (rf"(--(?:[a-z0-9]+[_-])*?(?:{_PASSWORDS}|{_TOKENS})[ \t]+[\"']?)(?!-){_VALUE}", re.IGNORECASE),
    (rf"({_NAME}(?:{_PASSWORDS})\d*{_IS}){_VALUE}", re.IGNORECASE),
    (rf"""({_NAME}(?:{_TOKENS})\d*["']?[ \t]*(?::=|=>?)[ \t]*["']?){_VALUE}""", re.IGNORECASE),
    (rf"""({_NAME}(?:{_TOKENS})\d*["']?[ \t]*:(?!=)[ \t]*["']?){_LONG_VALUE}""", re.IGNORECASE),
    # Any case matters in the value but not in the name.
    (rf"({_NAME}(?i:key|auth|cookie|credentials?|signature|sig){_IS}){_RANDOM_VALUE}", 0),
)


def allowed(name: str) -> bool:
    """Say whether an environment variable may be recorded."""
    return bool(ALLOWED.fullmatch(name)) and not SECRET_NAMES.search(name)


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
    for shape, flags in _SHAPES:
        text = re.sub(shape, rf"\1{REDACTED}", text, flags=flags)
    return text


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
    exact = frozenset(extra)
    prefixes = tuple(name[:-1] for name in exact if name.endswith("*"))
    kept = (name for name in sorted(environ) if allowed(name) or name in exact or name.startswith(prefixes))
    return {name: REDACTED if SECRET_NAMES.search(name) else redact(environ[name]) for name in kept}
