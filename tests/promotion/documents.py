"""The documents of promotion, one of each, made without looking for patterns."""

from __future__ import annotations

from pathlib import Path

from memscope.actions.promoting import draft_of
from memscope.actions.promotion_report import promotion_document, promotions_document
from memscope.actions.promotion_standing import Looked
from memscope.actions.promotions import Found, Unread
from memscope.promotion.model import Grouping, Skipped
from memscope.promotion.skills_found import Skills
from memscope.reports.promotion import PromotionDocument
from memscope.reports.promotions import PromotionsDocument, Standing
from tests.promotion.patterns import run_the_tests


def patterns_found() -> PromotionsDocument:
    """One pattern, with rows that were passed over and a file that could not be read."""
    pattern = run_the_tests()
    found = Found(
        grouping=Grouping(),
        patterns=(pattern,),
        rows=9,
        sessions=3,
        clusters=4,
        skipped=Skipped(1, 2, 3),
        left_out={"copies": 0, "synthetic": 1, "short": 2, "bad": 1},
        unread=[Unread(str(Path("/srv/r.jsonl")), 7, "it is no JSON object")],
        space="lexical-1",
        lexical=True,
    )
    return promotions_document(found, {pattern.signature: Standing("new", "promoted-pattern-x")})


def one_pattern() -> PromotionDocument:
    """It, with its messages and its draft."""
    pattern = run_the_tests()
    looked = Looked({}, {pattern.signature: Standing("new", "promoted-pattern-x")}, Skills(), 0)
    return promotion_document(pattern, looked, draft_of(pattern))
