"""The LaTeX names that `formula` knows."""

from typing import Final

GREEK: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ",
    "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip

#: LaTeX name -> (character, how it is said in English)
OPERATORS: Final = {
    "times": ("×", "times"), "cdot": ("⋅", "times"), "div": ("÷", "divided by"), "pm": ("±", "plus or minus"),
    "mp": ("∓", "minus or plus"), "ast": ("∗", "star"), "circ": ("∘", "composed with"), "oplus": ("⊕", "xor"),
    "otimes": ("⊗", "tensor"), "le": ("≤", "is at most"), "leq": ("≤", "is at most"),
    "ge": ("≥", "is at least"), "geq": ("≥", "is at least"), "ne": ("≠", "is not"), "neq": ("≠", "is not"),
    "approx": ("≈", "is about"), "equiv": ("≡", "is equivalent to"), "sim": ("∼", "is similar to"),
    "propto": ("∝", "is proportional to"), "ll": ("≪", "is much less than"), "gg": ("≫", "is much more than"),
    "in": ("∈", "in"), "notin": ("∉", "not in"), "subset": ("⊂", "is a subset of"),
    "subseteq": ("⊆", "is a subset of"), "supset": ("⊃", "contains"), "cup": ("∪", "union"),
    "cap": ("∩", "intersected with"), "setminus": ("∖", "without"), "emptyset": ("∅", "the empty set"),
    "land": ("∧", "and"), "wedge": ("∧", "and"), "lor": ("∨", "or"), "vee": ("∨", "or"), "neg": ("¬", "not"),
    "lnot": ("¬", "not"), "forall": ("∀", "for all"), "exists": ("∃", "there is"), "to": ("→", "to"),
    "rightarrow": ("→", "to"), "leftarrow": ("←", "from"), "mapsto": ("↦", "maps to"),
    "Rightarrow": ("⇒", "implies"), "implies": ("⟹", "implies"), "iff": ("⟺", "if and only if"),
    "Leftrightarrow": ("⇔", "if and only if"), "infty": ("∞", "infinity"), "partial": ("∂", "partial"),
    "nabla": ("∇", "nabla"), "ldots": ("…", "and so on"), "cdots": ("⋯", "and so on"), "dots": ("…", "and so on"),
    "mid": ("∣", "given"), "parallel": ("∥", "parallel to"), "perp": ("⟂", "perpendicular to"),
    "prime": ("′", "prime"), "star": ("⋆", "star"), "bullet": ("∙", "dot"), "hbar": ("ℏ", "h bar"),
    "ell": ("ℓ", "l"), "lfloor": ("⌊", "floor of"), "rfloor": ("⌋", ""), "lceil": ("⌈", "ceiling of"),
    "rceil": ("⌉", ""), "langle": ("⟨", ""), "rangle": ("⟩", ""), "lvert": ("|", ""), "rvert": ("|", ""),
    "Re": ("ℜ", "the real part of"), "Im": ("ℑ", "the imaginary part of"),
}  # fmt: skip

#: Operators whose scripts are set above and below.
BIG: Final = {
    "sum": ("∑", "the sum of"), "prod": ("∏", "the product of"), "bigcup": ("⋃", "the union of"),
    "bigcap": ("⋂", "the intersection of"), "int": ("∫", "the integral of"), "iint": ("∬", "the double integral of"),
    "oint": ("∮", "the contour integral of"), "coprod": ("∐", "the coproduct of"),
}  # fmt: skip

FUNCTIONS: Final = frozenset((
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "ln", "lg",
    "exp", "lim", "limsup", "liminf", "max", "min", "sup", "inf", "arg", "argmax", "argmin", "det", "dim", "gcd",
    "deg", "ker", "hom", "Pr", "mod",
))  # fmt: skip
#: Functions whose subscript is set below in a displayed formula.
LIMITS: Final = frozenset((
    "lim", "limsup", "liminf", "max", "min", "sup", "inf", "argmax", "argmin", "det", "gcd", "Pr",
))  # fmt: skip

BLACKBOARD: Final = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "𝔸𝔹ℂ𝔻𝔼𝔽𝔾ℍ𝕀𝕁𝕂𝕃𝕄ℕ𝕆ℙℚℝ𝕊𝕋𝕌𝕍𝕎𝕏𝕐ℤ", strict=True))
CALLIGRAPHIC: Final = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "𝒜ℬ𝒞𝒟ℰℱ𝒢ℋℐ𝒥𝒦ℒℳ𝒩𝒪𝒫𝒬ℛ𝒮𝒯𝒰𝒱𝒲𝒳𝒴𝒵", strict=True))

#: Spaces in em.
SPACES: Final = {"quad": 1.0, "qquad": 2.0, ",": 0.17, ":": 0.22, ";": 0.28, " ": 0.33, "!": 0.0}
#: Commands that only change size or placement; they are dropped.
IGNORED: Final = frozenset(("displaystyle", "textstyle", "limits", "nolimits", "bigl", "bigr", "big", "Big"))
ACCENTS: Final = {"hat": "̂", "bar": "̄", "vec": "→", "dot": "̇", "tilde": "̃", "overline": "̄"}
ESCAPED: Final = frozenset("{}%$#&_")

SPOKEN_SIGNS: Final = {
    "+": "plus", "-": "minus", "−": "minus", "=": "equals", "<": "is less than", ">": "is greater than",
    "/": "over", "*": "times", "!": "factorial", "|": "", "(": "", ")": "", "[": "", "]": "", ":": "",
    ";": ",", ",": ",", ".": ".", "'": "prime", "%": "percent", "{": "", "}": "", "&": "and", "~": "",
}  # fmt: skip
