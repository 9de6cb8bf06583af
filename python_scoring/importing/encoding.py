"""How the text of a file is encoded: by its mark, by being valid UTF-8, or by its words."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

# In the order in which they are taken where a short file reads as well in several.
NATIONAL = ("cp1251", "koi8_r", "cp866", "cp1252", "cp1250")
OTHERS = [*NATIONAL, "gb18030", "shift_jis"]
WORD = re.compile(r"[^\W\d_]+")
# No sign but these stands between two letters of a word.
WITHIN = re.compile(r"(?<=[^\W\d_])[^\w\s’–-](?=[^\W\d_])")
SIGNS = frozenset("\u00a0№«»—–…“”„’‘°€§±×")
CYRILLIC = re.compile(r"[А-Яа-яЁёІіЇїЄєҐґЎў]+")


def encoding_of(head: bytes, is_whole: bool) -> str:
    """The encoding of a file by its first bytes; `is_whole` when these are all."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if head[:3] == b"\xef\xbb\xbf":
        return "utf-8-sig"
    if head[:400].count(0) > len(head[:400]) // 4:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    try:
        # A letter may be cut in two at the end of what was read.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=is_whole)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    doubts = {encoding: doubtful(head, encoding) for encoding in NATIONAL}
    best = min(NATIONAL, key=lambda encoding: doubts[encoding])
    if doubts[best] < 0.05:
        return best
    # Statistics over letters need more of them than a small export has: they come second.
    found = from_bytes(head, cp_isolation=OTHERS).best()
    return found.encoding if found else "cp1252"


def doubtful(head: bytes, encoding: str) -> float:
    """Share of the words and signs beyond ASCII that nobody would write, 0 to 1."""
    text = head.decode(encoding, errors="replace")
    words = [word for word in WORD.findall(text) if not word.isascii()]
    signs = [sign for sign in WORD.sub("", text) if not sign.isascii()]
    within = WITHIN.findall(text)
    wrong = sum(not is_written(word) for word in words) + sum(s not in SIGNS for s in signs)
    wrong += sum(not sign.isascii() for sign in within)
    return wrong / max(len(words) + len(signs), 1)


def is_written(word: str) -> bool:
    """Whether a word is of one alphabet and of one case but for its first letter."""
    if not (word.islower() or word.isupper() or word[1:].islower()):
        return False
    if CYRILLIC.fullmatch(word):
        return True
    # Of a Latin word beyond ASCII some letters are plain ones.
    plain = sum(letter.isascii() for letter in word)
    return plain > 0 and max(word) <= "\u024f" and 2 * plain >= len(word)
