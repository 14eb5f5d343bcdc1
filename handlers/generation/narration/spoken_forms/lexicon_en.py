"""English words for the rules; see `lexicon`. Data."""

from typing import Any, Final

WORDS: Final[dict[str, Any]] = {
    "to": "to",
    "about": "about",
    "by": "by",
    "ratio": "to",
    "number": "number",
    "dot": "dot",
    "squared": "squared",
    "cubed": "cubed",
    "power": "to the power of",
    "dollars": ("dollar", "dollars"),
    "full_hour": "{} o'clock",
    "magnitudes": ("hundred", "thousand", "million", "billion", "trillion"),
    "magnitude_signs": {
        "K": "thousand", "k": "thousand", "M": "million", "m": "million", "mn": "million", "B": "billion",
        "b": "billion", "bn": "billion", "T": "trillion", "tn": "trillion",
    },
    "units": {
        "fps": "frames per second", "FPS": "frames per second", "rpm": "revolutions per minute", "dB": "decibels",
        "kbps": "kilobits per second", "bpm": "beats per minute", "mAh": "milliampere hours", "ppm": "parts per million",
    },
    "before_number": {
        "No.": "number", "no.": "number", "Nos.": "numbers", "Fig.": "figure", "fig.": "figure", "Figs.": "figures",
        "p.": "page", "pp.": "pages", "Ch.": "chapter", "ch.": "chapter", "Sec.": "section", "sec.": "section",
        "Eq.": "equation", "eq.": "equation", "Vol.": "volume", "vol.": "volume", "approx.": "approximately",
        "ca.": "circa", "c.": "circa", "v.": "version", "ver.": "version", "Rev.": "revision", "Tab.": "table",
    },
    "before_word": {
        "Dr.": "Doctor", "Mr.": "Mister", "Mrs.": "Missis", "Ms.": "Miz", "Prof.": "Professor", "vs.": "versus",
        "approx.": "approximately", "e.g.": "for example", "i.e.": "that is", "cf.": "compare", "Gov.": "Governor",
        "Gen.": "General", "Capt.": "Captain", "Sgt.": "Sergeant", "Lt.": "Lieutenant", "Hon.": "Honorable",
        "w/o": "without", "w/": "with",
    },
    "anywhere": {"etc.": "et cetera", "Inc.": "Incorporated", "Ltd.": "Limited", "Corp.": "Corporation", "Jr.": "Junior",
                 "Sr.": "Senior", "et al.": "et al", "Bros.": "Brothers"},
    "letters": (
        "AWS IAM EC ECS EKS EBS EFS AMI ARN GUI CLI IDE EOF ETA UX IPO ORM LED ORG OEM OCR IRC IRS UAT IOU ISP OSI OAI "
        "ERP ECU EPS EPA ETF EDA ELB ALB UDP URI IDL IOS IPC ESP IPS IDS ADC AES ACL AUR ART ANN ABI AOT APU ASN AQI UTC "
        "EST EDT ERD EIN EOD EOL ELF OTA OTP OOM OOP ACID IP IPV AP"
    ),
    "names": {
        "C#": "C sharp", "F#": "F sharp", "C++": "C plus plus", "g++": "G plus plus", "A*": "A star", "IoT": "I-O-T",
        "SaaS": "sass", "PaaS": "pass", "IaaS": "eye-ass", "k8s": "kubernetes", "i18n": "internationalization",
        "a11y": "accessibility",
    },
    "fractions": {
        "1/2": "one half", "1/3": "one third", "2/3": "two thirds", "1/4": "one quarter", "3/4": "three quarters",
        "1/5": "one fifth", "2/5": "two fifths", "3/5": "three fifths", "4/5": "four fifths", "1/8": "one eighth",
        "3/8": "three eighths", "5/8": "five eighths", "7/8": "seven eighths", "1/10": "one tenth",
    },
    "roman_after": {
        r"[Cc]hapter|[Pp]art|[Vv]olume|[Bb]ook|[Aa]ct|[Ss]ection|[Aa]ppendix|[Pp]hase|[Tt]ype|[Ww]ar|[Ff]igure|[Tt]able"
        r"|[Cc]lass|[Ll]evel|[Ss]tage|[Tt]itle|[Aa]rticle|Super Bowl|Apollo|Mark": "",
        r"Louis|Henry|Charles|Elizabeth|George|Edward|James|William|Richard|Philip|Napoleon|Pius|Leo|Benedict|Innocent"
        r"|Gregory|Clement|Urban|Alexander|Nicholas|Peter|Catherine|Frederick|Ferdinand|Ivan|Alfonso|Mary|Robert|Otto"
        r"|Ramesses|Ptolemy|John Paul|Paul|Wilhelm|Friedrich|Ludwig|Leopold|Gustav|Christian|Margaret": "the spellout-ordinal",
    },
}  # fmt: skip
