"""GIFT, as Moodle reads and writes it: multiple choice with one or several right options, and true or false."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from quiz.services.formats.categories import path_of, topic_of
from quiz.services.formats.drafts import (
    DEFAULT_DIFFICULTY,
    Fault,
    Findings,
    OptionDraft,
    QuestionDraft,
    Where,
    one_line,
    several_of_one,
)
from quiz.services.formats.feedback import explained
from quiz.services.formats.markup import from_moodle
from quiz.services.formats.text import decode

TRUE, FALSE = "Đúng", "Sai"

_ESCAPED = "~=#{}:"
_KINDS = {"html": "html", "plain": "plain_text", "moodle": "moodle_auto_format", "markdown": "markdown"}
_KIND = re.compile(r"^\s*\[(html|plain|moodle|markdown)\]")
_WEIGHT = re.compile(r"^\s*%(-?\d{1,3}(?:\.\d*)?)%")
_TAG = re.compile(r"\[tag:((?:[^\]\\]|\\.)*)\]")
_TRUTHS = {"T": True, "TRUE": True, "F": False, "FALSE": False}
_FULL = 100

Token = tuple[str, bool]
"""A character, and whether it stands for itself though it could be a sign (it was escaped)."""


@dataclass(slots=True)
class _Block:
    line: int = 0
    lines: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Answer:
    weight: float
    text: str
    feedback: str


def read(content: bytes) -> list[QuestionDraft]:
    """Raises BadFile with every block that is no question the bank can hold."""
    findings = Findings()
    topic = ""
    for block in _blocks(decode(content)):
        text = "\n".join(block.lines).strip()
        if text.startswith("$CATEGORY:"):
            topic = topic_of(text.removeprefix("$CATEGORY:"))
            continue
        draft, faults = _Question(text).draft()
        tags = tuple(_unescaped_tag(tag) for comment in block.comments for tag in _TAG.findall(comment))
        # A question that is not read is told as one fault, not as all that is missing from it.
        if draft is None:
            for fault in faults:
                findings.bad(Where("line", block.line), fault.code, **fault.params)
        else:
            findings.add(Where("line", block.line), replace(draft, topic=topic, tags=tags), *faults)
    return findings.questions()


def _blocks(text: str) -> Iterator[_Block]:
    """Blocks between empty lines; comment lines belong to the block they stand in."""
    block = _Block()
    for number, line in enumerate([*text.split("\n"), ""], 1):
        stripped = line.strip()
        if stripped.startswith("//"):
            block.comments.append(stripped)
        elif stripped:
            block.line = block.line or number
            block.lines.append(stripped)
        else:
            if block.lines:
                yield block
            block = _Block()


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        pair = text[place : place + 2]
        if pair == "\\n":
            tokens.append(("\n", True))
        elif len(pair) == 2 and pair[0] == "\\" and pair[1] in _ESCAPED + "\\":
            tokens.append((pair[1], True))
        else:
            tokens.append((pair[0], False))
            place -= 1
        place += 2
    return tokens


def _plain(tokens: Sequence[Token]) -> str:
    return "".join(char for char, _ in tokens)


def _signs(tokens: Sequence[Token]) -> str:
    """The same length, with what was escaped made invisible: to look for signs in."""
    return "".join("\0" if escaped else char for char, escaped in tokens)


class _Unread(Exception):
    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.fault = Fault(code, params)


class _Question:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._kind = "moodle_auto_format"
        self._faults: list[Fault] = []

    def draft(self) -> tuple[QuestionDraft | None, list[Fault]]:
        try:
            self._without_name()
            before, inside, after = self._parts()
            return self._read(before, inside, after), self._faults
        except _Unread as unread:
            return None, [unread.fault]

    def _without_name(self) -> None:
        """`::name::` is a title for lists; the text says the same."""
        signs = _signs(self._tokens)
        if signs.startswith("::") and (end := signs.find("::", 2)) > 0:
            self._tokens = self._tokens[end + 2 :]

    def _parts(self) -> tuple[list[Token], list[Token], list[Token]]:
        signs = _signs(self._tokens)
        if "{" not in signs and "}" not in signs:
            raise _Unread("unsupported_type", type="description")
        start, end = signs.find("{"), signs.find("}")
        if signs.count("{") != 1 or signs.count("}") != 1 or end < start:
            raise _Unread("gift_braces")
        return self._tokens[:start], self._tokens[start + 1 : end], self._tokens[end + 1 :]

    def _read(self, before: list[Token], inside: list[Token], after: list[Token]) -> QuestionDraft:
        blank = [("_", True)] * 5 if _plain(after).strip() else []
        question = [*before, *blank, *after]
        self._kind, question = self._kind_of(question)
        text = self._converted(question, self._kind)
        general, inside = self._general(inside)
        signs = _signs(inside)
        if (truth := _TRUTHS.get(signs.partition("#")[0].strip())) is not None:
            return self._true_or_false(text, general, truth, inside)
        _refuse_other_types(signs)
        answers = [self._answer(part) for part in _split_answers(inside)]
        single = "=" in signs
        if single and any(0 < answer.weight < _FULL for answer in answers):
            self._faults.append(Fault("partial_credit"))
        options = tuple(
            OptionDraft(answer.text, answer.weight >= _FULL if single else answer.weight > 0) for answer in answers
        )
        feedbacks = [
            (answer.text, answer.feedback, option.right) for answer, option in zip(answers, options, strict=True)
        ]
        draft = QuestionDraft(text, options, multiple=not single, explanation=explained(general, feedbacks))
        self._faults += several_of_one(single, draft)
        return draft

    def _general(self, inside: list[Token]) -> tuple[str, list[Token]]:
        place = _signs(inside).rfind("####")
        if place < 0:
            return "", inside
        return self._text(inside[place + 4 :]), inside[:place]

    def _true_or_false(self, text: str, general: str, truth: bool, inside: list[Token]) -> QuestionDraft:
        wrong, right = [*_split(inside, "#"), [], []][1:3]
        feedbacks = [
            (TRUE, self._text(right if truth else wrong), truth),
            (FALSE, self._text(wrong if truth else right), not truth),
        ]
        options = (OptionDraft(TRUE, truth), OptionDraft(FALSE, not truth))
        return QuestionDraft(text, options, explanation=explained(general, feedbacks))

    def _answer(self, part: list[Token]) -> _Answer:
        """`=text#feedback`, `~%50%text`, `~text`."""
        sign, part = part[0][0], part[1:]
        weight = float(_FULL) if sign == "=" else 0.0
        if sign == "~" and (found := _WEIGHT.match(_signs(part))):
            weight = float(found[1])
            part = part[found.end() :]
        text, *feedback = _split(part, "#")
        return _Answer(weight, self._text(text), self._text([token for piece in feedback for token in piece]))

    def _text(self, tokens: list[Token]) -> str:
        kind, tokens = self._kind_of(tokens)
        return self._converted(tokens, kind)

    def _kind_of(self, tokens: list[Token]) -> tuple[str, list[Token]]:
        """`[html]` and the like before a text; else it has the question's kind."""
        found = _KIND.match(_signs(tokens))
        return (_KINDS[found[1]], tokens[found.end() :]) if found else (self._kind, tokens)

    def _converted(self, tokens: Sequence[Token], kind: str) -> str:
        text, faults = from_moodle(_plain(tokens).strip(), kind)
        self._faults += [fault for fault in faults if fault not in self._faults]
        return text


def _refuse_other_types(signs: str) -> None:
    stripped = signs.strip()
    if not stripped:
        raise _Unread("unsupported_type", type="essay")
    if stripped.startswith("#"):
        raise _Unread("unsupported_type", type="numerical")
    if "~" not in stripped:
        raise _Unread("unsupported_type", type="matching" if "->" in stripped else "shortanswer")
    if stripped[0] not in "=~":
        raise _Unread("gift_answers")


def _split(tokens: Sequence[Token], sign: str) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token == (sign, False):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _split_answers(tokens: Sequence[Token]) -> list[list[Token]]:
    """Each answer with the sign that it begins with."""
    parts: list[list[Token]] = []
    for token in tokens:
        if token in (("=", False), ("~", False)):
            parts.append([token])
        elif parts:
            parts[-1].append(token)
    return parts


def write(questions: Sequence[QuestionDraft]) -> bytes:
    """As Moodle writes it. Every text is marked as plain, so that `<b>` stays what it is."""
    blocks: list[str] = []
    topic = ""
    for number, question in enumerate(questions, 1):
        if question.topic != topic:
            topic = question.topic
            blocks.append(f"$CATEGORY: {path_of(topic)}\n")
        blocks.append(_written(number, question))
    return "\n".join(blocks).encode()


def _written(number: int, question: QuestionDraft) -> str:
    lines = [f"// question: {number}"]
    if question.tags:
        lines.append("// " + " ".join(f"[tag:{_escaped_tag(tag)}]" for tag in question.tags))
    lines.append(f"::{_escaped(one_line(question.text)[:60].strip())}::[plain]{_escaped(question.text)}{{")
    right, wrong = _weights(question)
    lines += [f"\t{right if option.right else wrong}{_marked(option.text)}" for option in question.options]
    if question.explanation:
        lines.append(f"\t####{_marked(question.explanation)}")
    return "\n".join([*lines, "}", ""])


def _weights(question: QuestionDraft) -> tuple[str, str]:
    if not question.multiple:
        return "=", "~"
    share = f"{_FULL / max(1, len(question.rights)):.5f}".rstrip("0").rstrip(".")
    return f"~%{share}%", "~%-100%"


def _marked(text: str) -> str:
    """Texts have the question's kind, plain; said again before one that would read as a kind or as a weight."""
    return f"[plain]{_escaped(text)}" if text.startswith(("[", "%")) else _escaped(text)


def _escaped(text: str) -> str:
    return re.sub(r"[\\~=#{}:]", r"\\\g<0>", text).replace("\n", "\\n")


def _escaped_tag(tag: str) -> str:
    return re.sub(r"[\\\]]", r"\\\g<0>", tag)


def _unescaped_tag(tag: str) -> str:
    return re.sub(r"\\([\\\]])", r"\1", tag)


def held(question: QuestionDraft) -> QuestionDraft:
    """GIFT has no place for a source and a difficulty."""
    return replace(question, source="", difficulty=DEFAULT_DIFFICULTY)
