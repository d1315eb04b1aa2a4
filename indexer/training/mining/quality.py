"""Which doc comments and functions make a good training pair.

A doc comment becomes the query, so it is cut down to the prose a person could have typed: tags, parameter lists,
examples and markup go. A function is only worth a pair when its body does something that the prose can describe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.training.mining.natural import SPACELESS, natural_language
from indexer.types import last_name

MIN_WORDS, MAX_WORDS = 3, 60
MAX_CODE_CHARS = 6_000
MIN_CODE_CHARS = 40

_FENCE = re.compile(r"```.*?(```|\Z)|<pre\b.*?(</pre>|\Z)|\{@code\s*\n.*?\n\s*\}", re.DOTALL | re.IGNORECASE)
_XML_SECTION = re.compile(
    r"<(param|typeparam|returns|exception|example|value|seealso|remarks|inheritdoc)\b.*?(</\1>|/>|\Z)",
    re.DOTALL | re.I,
)
_SECTION = re.compile(
    r"""^\s*(
        [@\\](?!brief\b|summary\b|link\b|code\b|description\b|desc\b|short\b|notice\b|dev\b)[a-z]\w*
      | :\w+(\s+[\w\[\], ]+)?:(?!`)
      | (args|arguments|parameters?|params|returns?|yields?|raises|throws|examples?|notes?|see\ also|references
         |usage|inputs?|outputs?|options|attributes|keyword\ arguments|keywords?|methods|warnings?|warns|todo
         |complexity)\s*:?\s*$
      | (args|arguments|params|parameters|returns?|raises|throws|examples?|usage|input|output|note|todo|fixme)\s*:
      | \#+\s | >>>\s? | \.\.\s\w+:: | -{3,}\s*$ | ={3,}\s*$ | \*{3,} | iex>|=begin|=cut
      | \|
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_MARKUP = (
    (re.compile(r"\{@(?:link|linkplain|code|literal|value)\s+([^}]*)\}"), r"\1"),
    (re.compile(r"<(?:see|paramref|typeparamref)\s+\w+=\"(?:\w:)?([^\"]*)\"\s*/?>"), r"\1"),
    (re.compile(r":[\w:]+:`~?([^`<]*?)\s*(?:<[^>]*>)?`"), r"\1"),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[\[([^\]]*)\]\]"), r"\1"),
    (re.compile(r"\[([A-Za-z_][\w.:]*)\]"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>\n]*>"), " "),
    (re.compile(r"\A\W*O\([^()]*(?:\([^()]*\)[^()]*)*\)[/.,]*\s"), ""),
    (
        re.compile(
            r"[@\\](?:brief|summary|description|desc|short|details?|internal|hide|notice|dev)\b:?", re.I
        ),
        " ",
    ),
    (re.compile(r"https?://\S+"), " "),
    (re.compile(r"`+|\*\*|''+"), ""),
    (re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d+);"), " "),
)
_BOILERPLATE = re.compile(
    r"""inherit_?doc | auto-?\s?generated | generated\ (by|from|code)
      | ^(default\ |the\ |a\ |private\ |empty\ |copy\ )*constructor\b
      | ^(creates?|initiali[sz]es?)\ (a\ )?new\ instances?\ of\ the
      | copyright | licen[sc]ed?\ (under|to) | all\ rights\ reserved | ^(todo|fixme|xxx|hack)\b
      | ^(deprecated|unused|internal|see|same\ as|alias\ (of|for)|not\ implemented|no-?op)\b
      | eslint | istanbul | ts-ignore | @?noqa | pylint | type:\ ignore | clang-format | rubocop: | nolint | shellcheck
      | -\*-|vim: | ^[-=*#/ ]+$ | ^(getter|setter)\ (for|of)\b | ^non-javadoc
      | \b(this|the)\ (method|function|class)\ is\ deprecated
      | ^\S+\.\w+$ | ^dispatch(es)?\ to\ | documentation\ (of|in)\ \w+$ | ^(unit\ )?tests?\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!\betc\.)(?<!\bvs\.)\s+(?=[A-Z0-9\"'(]|[^\x00-\x7f])|(?<=[。！？])"
)
_NAMED = re.compile(r"[A-Za-z_]\w*:\s+\S")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_COMMENT_LINE = re.compile(r"^\s*(//|#(?!\[|include|define|if|el|end)|--|/\*|\*(?!\w)|%|!|;)")
_TRIVIAL = re.compile(
    r"""^(pass|\.\.\.|return;?|return\ (self\.|this\.|\$this->|@)?\w+(\(\))?;?
      |raise\ NotImplementedError.*|throw\ .*not\ ?implemented.*
      |todo!\(.*\)|unimplemented!\(.*\)|[{}\[\]();]*|end|super\(.*\);?|(self|this)(\.|->)\w+\s*=\s*\w+;?)$""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Prose:
    """A doc comment as a query."""

    summary: str
    rest: str
    natural: str
    """ISO 639-1 code of the language it is written in."""


def word_count(text: str) -> int:
    """Words; in scripts without spaces two characters count as one word."""
    spaceless = len(SPACELESS.findall(text))
    return len(_WORD.findall(SPACELESS.sub(" ", text))) + (spaceless + 1) // 2


def prose_of(doc: str, symbol: str = "") -> Prose | None:
    """The prose of a doc comment, or None when it says too little or is boilerplate.

    Args:
        doc: the doc comment without its comment markers.
        symbol: qualified name of what it documents; a leading mention of it is dropped, for it gives the answer away.
    """
    if _BOILERPLATE.search(doc[:200].strip()):
        return None
    text = _prose_lines(_unmark(_XML_SECTION.sub(" ", _FENCE.sub("\n\n", doc))))
    sentences = [part for piece in text.split("\n") for part in _SENTENCE_END.split(piece) if part]
    if not sentences:
        return None
    summary = _without_name(sentences.pop(0), symbol)
    while sentences and word_count(summary) < MIN_WORDS:
        summary = f"{summary} {sentences.pop(0)}"
    if not _is_good_summary(summary):
        return None
    return Prose(summary, " ".join(sentences)[:1000], natural_language(summary))


def is_good_code(body: str) -> bool:
    """Whether a function's source does more than forward, return a field or raise; says nothing of its style."""
    if not MIN_CODE_CHARS <= len(body) <= MAX_CODE_CHARS:
        return False
    lines = [line.strip() for line in body.splitlines()]
    code = [line for line in lines if line and not _COMMENT_LINE.match(line)]
    if len(code) == 1:
        return len(code[0]) >= 60 and ("=>" in code[0] or "=" in code[0])
    inner = [line for line in code[1:] if not _TRIVIAL.match(line)]
    return bool(inner) and len("".join(inner)) >= 15 and max(map(len, lines)) < 500


def _unmark(text: str) -> str:
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return text


def _prose_lines(text: str) -> str:
    """The lines before the first tag, section or example: one line per paragraph."""
    kept: list[str] = []
    for line in text.splitlines():
        if _SECTION.match(line) or (kept and _NAMED.match(line)):
            break
        if kept or not line.startswith("    "):
            kept.append(line.strip(" \t*/#!-|") or "\n")
    lines = re.sub(r"[^\S\n]+", " ", re.sub(r" *\n[ \n]*", "\n", " ".join(kept)))
    return re.sub(r"\s+([.,;:)])", r"\1", lines).strip()


def _without_name(summary: str, symbol: str) -> str:
    name = last_name(symbol)
    if not name:
        return summary
    match = re.match(
        rf"[\"']?{re.escape(name)}(\([^)]*\))?[\"']?\s*(?:[-:–—]+\s*|\bis\s+used\s+to\s+)?", summary
    )
    if match is None or (match.end() < len(summary) and summary[match.end() - 1].isalnum()):
        return summary
    rest = summary[match.end() :]
    return rest[:1].upper() + rest[1:] if rest else summary


def _is_good_summary(summary: str) -> bool:
    words = word_count(summary)
    if not MIN_WORDS <= words <= MAX_WORDS or _BOILERPLATE.search(summary):
        return False
    letters = sum(ch.isalpha() or ch == " " for ch in summary)
    return letters >= 0.8 * len(summary) and len(summary) <= 12 * words + 30
