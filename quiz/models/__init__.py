"""The tables, one file each; this page is their index."""

from quiz.models.announcement import Announcement
from quiz.models.appeal import Appeal, AppealTemplate
from quiz.models.award import Award, AwardList, Lot
from quiz.models.base import Base
from quiz.models.contest import Contest, Round
from quiz.models.contest_bar import ContestBar
from quiz.models.correction import KeyProposal
from quiz.models.counting_request import CountingRequest
from quiz.models.entry import Entry
from quiz.models.question import Bank, KeyVersion, Option, Question
from quiz.models.signal import Signal, SignalEntry, SignalScan
from quiz.models.staff import RecoveryCode, SecondFactor
from quiz.models.standing import ContestStanding, ContestTally, RankStep, Standing, Tally, Watermark
from quiz.models.trail import AuditEvent, CountingEvent
from quiz.models.unit import Target, Unit, UnitChange
from quiz.models.user import Identity, User

__all__ = [
    "Announcement",
    "Appeal",
    "AppealTemplate",
    "AuditEvent",
    "Award",
    "AwardList",
    "Bank",
    "Base",
    "Contest",
    "ContestBar",
    "ContestStanding",
    "ContestTally",
    "CountingEvent",
    "CountingRequest",
    "Entry",
    "Identity",
    "KeyProposal",
    "KeyVersion",
    "Lot",
    "Option",
    "Question",
    "RankStep",
    "RecoveryCode",
    "Round",
    "SecondFactor",
    "Signal",
    "SignalEntry",
    "SignalScan",
    "Standing",
    "Tally",
    "Target",
    "Unit",
    "UnitChange",
    "User",
    "Watermark",
]
