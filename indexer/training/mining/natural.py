"""Which natural language a sentence is written in, guessed from its script and its commonest words."""

from __future__ import annotations

import re

SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]")

_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("el", re.compile(r"[\u0370-\u03ff]{2}")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("ru", re.compile(r"[\u0400-\u04ff]{2}")),
)
_WORDS = {
    "en": "the a an of to and is in for with from by that this on or if as be are it at not returns return given",
    "de": "der die das und ist ein eine den dem für mit von zu auf wird werden nicht auch gibt zurück des einen",
    "fr": "le la les un une des et est pour dans avec sur par qui du au retourne renvoie ne pas ce cette",
    "es": "el la los las un una de y es para en con por que se del al devuelve si como no su",
    "pt": "o a os as um uma de e é para em com por que se do da não ao na no retorna",
    "it": "il lo la gli un una di e è per in con che del della non si restituisce al dei nel",
    "nl": "de het een van en is voor met op in te dat niet wordt door naar bij aan",
    "pl": "i w na z do jest nie się że o dla zwraca od po przez",
    "tr": "ve bir bu için ile olarak olan değil döndürür eğer göre",
}
_WORD_SETS = {code: frozenset(words.split()) for code, words in _WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")


def natural_language(text: str) -> str:
    """ISO 639-1 code; ``en`` where nothing speaks for another language."""
    letters = sum(ch.isalpha() for ch in text) or 1
    for code, pattern in _SCRIPTS:
        if sum(map(len, pattern.findall(text))) >= 0.2 * letters or (
            code == "ja" and len(pattern.findall(text)) >= 2
        ):
            return code
    words = _WORD.findall(text.lower())
    scores = {code: sum(word in known for word in words) for code, known in _WORD_SETS.items()}
    best = max(scores, key=lambda code: (scores[code], code == "en"))
    return best if scores[best] >= 2 and scores[best] > 1.5 * scores["en"] else "en"
