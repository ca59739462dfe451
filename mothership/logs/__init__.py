"""Logs that last: lines as they are stored, the files that hold them, those who read along, searches and drains."""

from mothership.logs.backlog import Backlog
from mothership.logs.journal import Journal
from mothership.logs.line import shown
from mothership.logs.search import Query

__all__ = ["Backlog", "Journal", "Query", "shown"]
