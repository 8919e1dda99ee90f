"""What should be hidden in a recording: e-mail addresses, card numbers, tokens and keys, phone numbers, and names."""

from anchors.sensitive.patterns import KINDS, Kind
from anchors.sensitive.search import Found, Region, find_sensitive, fitting, in_groups, together

__all__ = ["KINDS", "Found", "Kind", "Region", "find_sensitive", "fitting", "in_groups", "together"]
