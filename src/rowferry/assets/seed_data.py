"""The words that seeded assets are made of: what a real inventory holds, its odd entries included."""

from __future__ import annotations

PLACES = (
    "Europe/Zürich/Hauptsitz",
    "Europe/Zürich/Lager West",
    "Europe/Łódź/Biuro Główne",
    "Europe/Łódź/Fabryka 2",
    "Americas/São Paulo/Torre Norte",
    "Americas/São Paulo/Depósito",
    "Americas/Montréal/Édifice Saint-Laurent",
    "Americas/Montréal/Entrepôt, quai 4",
    "Asia Pacific/東京/本社ビル",
    "Asia Pacific/東京/品川データセンター",
    "Asia Pacific/Bengaluru/Tower A",
    "Asia Pacific/Bengaluru/Tower B",
    "Africa/Nairobi/Head office",
    "Africa/Nairobi/Training centre",
    "Africa/Cape Town/The Old Mill",
    'Africa/Cape Town/Warehouse "Dock 7"',
)
ROOMS = ("Open space", "Server room")

STATUSES = (("In stock", 12), ("In use", 62), ("In repair", 5), ("Ordered", 4), ("Retired", 13), ("Lost or stolen", 2))
"""(name, how many of a hundred, about)"""
ASSIGNABLE = frozenset({"In use", "In repair"})

MODELS = (
    ("Laptop", "Dell", "Latitude 7440"),
    ("Laptop", "Dell", "XPS 13 Plus"),
    ("Laptop", "Lenovo", "ThinkPad T14 Gen 4"),
    ("Laptop", "Lenovo", "ThinkPad X1 Carbon"),
    ("Laptop", "Apple", 'MacBook Pro 14"'),
    ("Laptop", "Fujitsu (富士通)", "LIFEBOOK U9313"),
    ("Desktop", "HP Inc.", "EliteDesk 800 G9"),
    ("Desktop", "Dell", "OptiPlex 7010"),
    ("Desktop", "Apple", "Mac mini"),
    ("Monitor", "Eizo", 'FlexScan EV2795, 27"'),
    ("Monitor", "Dell", 'UltraSharp 24", height-adjustable'),
    ("Monitor", "Samsung", "ViewFinity S8"),
    ("Phone", "Apple", "iPhone 15"),
    ("Phone", "Samsung", "Galaxy S24"),
    ("Phone", "小米 (Xiaomi)", "Redmi Note 13"),
    ("Tablet", "Apple", "iPad Air"),
    ("Printer", "Brother Industries, Ltd.", "HL-L6400DW"),
    ("Printer", "HP Inc.", "LaserJet Pro M404dn"),
    ("Label printer", "Zebra", "ZD421"),
    ("Server", "Hewlett Packard Enterprise", "ProLiant DL360 Gen11"),
    ("Server", "Dell", "PowerEdge R760, 2×32 cores"),
    ("Switch", "Cisco Systems, Inc.", "Catalyst 9300-48P"),
    ("Router", "Cisco Systems, Inc.", "ISR 4331"),
    ("Access point", "Ubiquiti", "UniFi U6-Pro"),
    ("Dock", "Lenovo", "ThinkPad Universal USB-C Dock"),
    ("Headset", "Müller & Söhne GmbH", "HS 200 «Büro»"),
    ("UPS", "O'Reilly Power", "Smart-UPS 1500VA"),
    ("Software licence", None, "Office suite, 1 seat"),
    ("Cable set", None, "HDMI/DisplayPort, 2 m"),
)
"""(type, manufacturer, name)"""

NOTES = (
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    ", spare",
    " – loan pool",
    " (reception)",
    " [to be wiped]",
    " / meeting room",
    " 'old'",
)

ODD_NAMES = (
    "=cmd|' /C calc'!A0",
    "=SUM(A1:A9)",
    "+49 30 901820 hotspot",
    "-1 (unlabelled, found in drawer)",
    "@reception desk phone",
    "-12.5",
    "Rack 4, top shelf\nkeys at the front desk",
    "Label torn off\r\nsee photo",
    "Scanner\tmodel unknown",
    'Monitor 27" "Pivot", black; 2nd hand',
    "Zoë’s café display – œuvre n° 3",
    "会議室のプロジェクター",
    "회의실 스피커폰",
    "طابعة المحاسبة",
    "🖨️ Third-floor printer 🔧",
    "👩🏽‍💻 Developer kit",
    "  Badge reader, padded  ",
    "0012345",
    "1e5",
    "TRUE",
    "NULL",
    "3/4",
    "<b>Bold</b> &amp; brave",
    "C:\\Temp\\new\\table",
)
