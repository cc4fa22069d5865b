"""The words that seeded tickets are made of: what people really write, its odd entries included."""

from __future__ import annotations

STATUSES = (
    ("New", True, False, 6),
    ("Open", True, False, 10),
    ("Waiting for requester", True, False, 6),
    ("Resolved", False, True, 18),
    ("Closed", False, True, 54),
    ("Cancelled", False, False, 6),
)
"""(name, open, resolved, how many of a hundred)"""

PRIORITIES = (("Low", 240, 25), ("Normal", 72, 50), ("High", 24, 18), ("Urgent", 4, 7))
"""(name, hours until due, how many of a hundred)"""

TYPES = ("Incident", "Service request", "Access request", "Change", "Question")

SYSTEMS = (
    "VPN",
    "e-mail",
    "SAP",
    "the time sheet",
    "the intranet",
    "Wi-Fi «Gäste»",
    "printer 3-East",
    "the shared drive (Z:\\)",
    "the badge reader",
    "勤怠システム",
)
SUBJECTS = (
    "Cannot log in to {system}",
    "{system} is slow, again",
    'Error "0x80070005" when opening {system}',
    "Please give me access to {system}",
    "New starter on Monday: {system}, laptop, phone",
    "{system} down?!",
    "Password reset for {system}",
    "{system}: certificate expires soon",
    "Question about {system}",
    "Move my desk phone; {system} too",
)
ODD_SUBJECTS = (
    '=HYPERLINK("http://example.com";"Click")',
    "=1+1",
    "+41 44 668 18 00 does not ring",
    "-",
    "-5 °C in the server room",
    "@helpdesk please call back",
    "Drucker geht nicht – schon wieder!!",
    "プリンターが動きません",
    "无法连接到网络",
    "لا يمكن الدخول إلى البريد",
    "🔥 Laptop battery gets hot 🔥",
    "Re: Re: FW: invoice, “final” version",
    "00042",
    "NULL",
    "<script>alert(1)</script>",
)
SENTENCES = (
    "It worked yesterday.",
    "I have restarted twice, and it did not help.",
    'The message says "Access is denied", nothing else.',
    "This is the third time this month; please, somebody look at it properly.",
    "My colleague next door has the same problem.",
    'Steps:\n1. open\n2. click "Save"\n3. wait',
    "Needed before Thursday, 10:30.",
    "Naïve question: is there a façade for the new API?",
    "お手数ですが、よろしくお願いします。",
    "Cost centre 0047-11, approved by Łukasz.",
    "Thanks! 🙏",
    "Path: C:\\Users\\zoe\\Documents\\new\ttable",
)
LOG_LINE = (
    "2025-10-29 08:{minute:02d}:{second:02d} ERROR [net] timeout after 30s, host=10.0.{minute}.{second}, retry=-1\r\n"
)
